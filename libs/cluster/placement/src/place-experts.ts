import { type WorkerId } from '@essaim/core';
import { matchKeeping } from './match-keeping.ts';
import { placeLayer } from './place-layer.ts';
import { type Assignment, type ExpertWorker, type PlacementRequest, type PlacementResult } from './policy.ts';

/** quotas[layer][worker]: how many experts of the layer the worker is to hold; workers in ascending order of their ids. */
type Quotas = readonly (readonly number[])[];

/**
 * Spreads the experts of every layer over the workers in proportion to their room, so that the work of a token is parallel in each
 * layer, and moves as few of the present copies as these quotas allow.
 *
 * A worker's total is its exact share rounded to a neighbouring whole number, and so is its part of each layer. Copies of one expert lie on
 * different workers, and in as many domains as their room allows, so that a lead finds one in its own. With fewer workers than copies asked for, each worker holds one. Refused only where room does not suffice.
 */
export function placeExperts(request: PlacementRequest): PlacementResult {
  const { layerCount, expertCount, previous } = request;
  if (layerCount * expertCount === 0) return { kind: 'placed', assignment: [], degraded: null };
  const workers = request.workers.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  if (workers.length === 0) return { kind: 'refused', reason: 'no live worker hosts experts', missing: 0 };
  const replicas = Math.min(request.replicas, workers.length);
  const capacities = workers.map(({ room }) => Math.min(layerCount * expertCount, room));
  const slots = layerCount * expertCount * replicas;
  const missing = slots - sum(capacities);
  if (missing > 0) return { kind: 'refused', reason: tooLittleRoom({ ...request, replicas }, sum(capacities)), missing };
  const held = heldExperts(previous, workers, request);
  const quotas = chooseQuotas(capacities, slots, held);
  const assignment = held.map((layer, index) => placeLayer({ held: layer, quota: quotas[index]!, replicas }, workers));
  return { kind: 'placed', assignment, degraded: replicas < request.replicas ? tooFewWorkers(request.replicas, replicas) : null };
}

/** [layer][expert][worker]: whether the worker holds a copy now. */
function heldExperts(previous: Assignment | null, workers: readonly ExpertWorker[], { layerCount, expertCount }: PlacementRequest): boolean[][][] {
  return Array.from({ length: layerCount }, (_, layer) =>
    Array.from({ length: expertCount }, (__, expert) => {
      const holders = new Set<WorkerId>(previous?.[layer]?.[expert] ?? []);
      return workers.map(({ id }) => holders.has(id));
    }),
  );
}

/**
 * Every worker's total is split evenly over the layers: `base` in each, and one more in as many layers as the rest says. Which layers is a
 * matching of its own, in which a layer where the worker holds more than `base` already is kept.
 */
function chooseQuotas(capacities: readonly number[], slots: number, held: readonly (readonly (readonly boolean[])[])[]): Quotas {
  const layerCount = held.length;
  const heldCounts = held.map((experts) => capacities.map((_, worker) => experts.filter((holders) => holders[worker]).length));
  const totals = apportion(capacities, slots, capacities.map((_, worker) => sum(heldCounts.map((counts) => counts[worker]!))));
  const base = totals.map((total) => Math.floor(total / layerCount));
  const rest = totals.map((total) => total % layerCount);
  const extras = matchKeeping({
    needs: Array.from({ length: layerCount }, () => sum(rest) / layerCount),
    rooms: rest,
    kept: heldCounts.map((counts) => counts.map((count, worker) => count > base[worker]!)),
  });
  return extras.map((row) => row.map((extra, worker) => base[worker]! + (extra ? 1 : 0)));
}

/** Whole shares of `slots` in proportion to the capacities and within them; largest remainders first, then who would have to give up a copy. */
function apportion(capacities: readonly number[], slots: number, heldTotals: readonly number[]): number[] {
  const all = sum(capacities);
  // Whole numbers throughout, so that equal workers have exactly equal remainders.
  const shares = capacities.map((capacity) => Math.floor((capacity * slots) / all));
  const remainder = (worker: number): number => (capacities[worker]! * slots) % all;
  const keepsOne = (worker: number): number => (heldTotals[worker]! > shares[worker]! ? 1 : 0);
  const order = capacities.map((_, worker) => worker).sort((a, b) => remainder(b) - remainder(a) || keepsOne(b) - keepsOne(a) || a - b);
  for (const worker of order.slice(0, slots - sum(shares))) shares[worker]! += 1;
  return shares;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function tooLittleRoom({ layerCount, expertCount, replicas, workers }: PlacementRequest, room: number): string {
  const copies = replicas === 1 ? '1 copy' : `${replicas} copies`;
  const who = workers.length === 1 ? 'the only live worker has' : `the ${workers.length} live workers have`;
  return `${copies} of ${layerCount} x ${expertCount} experts ${replicas === 1 ? 'makes' : 'make'} ${layerCount * expertCount * replicas}, and ${who} room for ${room} beside all else that ${workers.length === 1 ? 'it holds' : 'they hold'}`;
}

const tooFewWorkers = (asked: number, given: number): string =>
  `only ${given} of ${asked} copies of each expert are placed, one on each live worker: start ${asked - given} more to have all`;
