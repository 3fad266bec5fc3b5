import { type WorkerId } from '@essaim/core';
import { type Assignment } from '@essaim/placement';
import { type ModelSize } from './model-size.ts';
import { linkOf, type Link, type PlannedWorker, type Topology } from './topology.ts';

/** What one token sends over one kind of link, on average over its leads. */
export interface LinkTraffic {
  readonly link: Link;
  /** There and back: one row a layer for each worker that is asked, whatever the number of its experts. */
  readonly bytesPerToken: number;
  /** Layers that wait for this kind of link, a slower one having nothing to do. */
  readonly roundTripsPerToken: number;
}

/** Experts that serve a lead, by the worker that computes them: a lead's own copy first, else each copy equally often. */
type Servers = ReadonlyMap<PlannedWorker, number>;

/**
 * Traffic by kind of link, slowest answer first, where routers choose all experts equally often. Pure counting: which of `expertsPerToken`
 * different experts lie with whom is a draw without replacement.
 */
export function linkTraffic(size: ModelSize, topology: Topology, { assignment, wireBytesPerValue }: { readonly assignment: Assignment; readonly wireBytesPerValue: number }): LinkTraffic[] {
  const links = linksOf(topology);
  const sums = links.map(() => ({ rows: 0, waits: 0 }));
  const workers = new Map(topology.workers.map((worker) => [worker.id, worker]));
  for (const layer of assignment) {
    const shared = shareServers(layer, workers);
    for (const lead of topology.workers) addLayer({ size, topology, links, sums }, lead, serversFor(lead, layer, shared, workers));
  }
  const rowBytes = 2 * size.hiddenSize * wireBytesPerValue;
  return links.map((link, index) => ({
    link, bytesPerToken: (sums[index]!.rows * rowBytes) / topology.workers.length, roundTripsPerToken: sums[index]!.waits / topology.workers.length,
  }));
}

interface Sums {
  readonly size: ModelSize;
  readonly topology: Topology;
  readonly links: readonly Link[];
  readonly sums: readonly { rows: number; waits: number }[];
}

function addLayer({ size, topology, links, sums }: Sums, lead: PlannedWorker, servers: Servers): void {
  const missed = (experts: number): number => chanceOfNone(experts, size);
  const behind = links.map(() => 0);
  for (const [worker, experts] of servers) {
    const link = linkOf(topology, lead, worker);
    if (link === null) continue;
    const index = links.findIndex(({ kind }) => kind === link.kind);
    behind[index]! += experts;
    sums[index]!.rows += 1 - missed(experts);
  }
  let slower = 0;
  behind.forEach((experts, index) => {
    sums[index]!.waits += missed(slower) - missed(slower + experts);
    slower += experts;
  });
}

/** The chance that none of a token's experts is among so many of a layer's. A part of an expert is one that serves a part of the tokens. */
export function chanceOfNone(experts: number, { expertCount, expertsPerToken }: Pick<ModelSize, 'expertCount' | 'expertsPerToken'>): number {
  let chance = 1;
  for (let drawn = 0; drawn < expertsPerToken; drawn++) chance *= Math.max(0, expertCount - experts - drawn) / (expertCount - drawn);
  return chance;
}

/** Every copy of an expert serves its part of the tokens. */
function shareServers(layer: Assignment[number], workers: ReadonlyMap<WorkerId, PlannedWorker>): Map<PlannedWorker, number> {
  const servers = new Map<PlannedWorker, number>();
  for (const holders of layer) for (const id of holders) add(servers, workers.get(id)!, 1 / holders.length);
  return servers;
}

function serversFor(lead: PlannedWorker, layer: Assignment[number], shared: Servers, workers: ReadonlyMap<WorkerId, PlannedWorker>): Servers {
  const servers = new Map(shared);
  for (const holders of layer) {
    if (holders.length === 1 || !holders.includes(lead.id)) continue;
    for (const id of holders) add(servers, workers.get(id)!, (id === lead.id ? 1 : 0) - 1 / holders.length);
  }
  return servers;
}

function add(servers: Map<PlannedWorker, number>, worker: PlannedWorker, share: number): void {
  servers.set(worker, (servers.get(worker) ?? 0) + share);
}

/** Each kind once, slowest answer first. */
function linksOf({ within, between }: Topology): Link[] {
  const kinds = new Map([...within, between].flatMap((link) => (link === null ? [] : [[link.kind, link] as const])));
  return [...kinds.values()].sort((a, b) => b.roundTripSeconds - a.roundTripSeconds);
}
