import { LIMITS, type WorkerId } from '@essaim/core';
import { type Assignment } from '@essaim/placement';
import { type Efficiency, type PlannedLoad, streamsPerLead } from './load.ts';
import { type ModelSize } from './model-size.ts';
import { drawRoutedWork, repeatableRandom, type RoutedWork } from './routed-work.ts';
import { type PlannedWorker, type Topology } from './topology.ts';
import { type LinkTraffic } from './traffic.ts';

/** The terms whose sum a time is, in seconds. */
export interface TimeTerms {
  /** The dense part and attention, on the slowest lead. */
  readonly lead: number;
  /** Experts, in each layer on the slowest worker. */
  readonly experts: number;
  /** What steps, layers, rows and answers take besides, on the slowest lead. */
  readonly overhead: number;
  /** Links' answers that a layer waits for. */
  readonly latency: number;
  /** Bytes on links. */
  readonly transfer: number;
}

export interface Speed {
  /** One step of all streams, each in the middle of its context. */
  readonly step: TimeTerms;
  readonly tokensPerSecond: number;
  /** A prompt that fills the context, alone on the cluster. */
  readonly firstToken: TimeTerms;
  readonly firstTokenSeconds: number;
}

/** The whole formula, as it is shown to people; `work` is applied to each part of each worker. */
export const FORMULAS = [
  'work(bytes, flops) = bytes / (bandwidth x memory efficiency) + flops / (compute x compute efficiency)',
  'step = work(dense part + keys and values, on the slowest lead) + sum over layers of work(experts hit, on the slowest worker, mean of what routers may draw) + overheads of the step, its layers, their rows and its answers + round trips x latency + link bytes / (bandwidth x link efficiency)',
  'tokens/s = streams / step; first token = the same terms for a prompt as long as the context, in chunks of a step',
] as const;

export interface SpeedRequest {
  readonly size: ModelSize;
  readonly topology: Topology;
  readonly assignment: Assignment;
  readonly traffic: readonly LinkTraffic[];
  readonly load: PlannedLoad;
  readonly efficiency: Efficiency;
}

/** Of routers' choices, over all layers: the mean is then within a few per cent. */
const LEAST_DRAWS = 256;

/** Nothing overlaps, not even reading with multiplying, and routers choose all experts equally often. */
export function predictSpeed(request: SpeedRequest): Speed {
  const { load, topology } = request;
  const perLead = streamsPerLead(load.streams, topology.workers.length);
  const step = termsOf(request, {
    steps: 1, leadTokens: perLead, leads: Math.min(load.streams, topology.workers.length), outputs: perLead,
    cacheTokens: perLead * (load.contextTokens / 2), queryPairs: perLead * (load.contextTokens / 2),
  });
  const [prompt, steps] = [load.contextTokens, Math.ceil(load.contextTokens / LIMITS.stepTokens)];
  const firstToken = termsOf(request, {
    steps, leadTokens: prompt / steps, leads: 1, outputs: 1 / steps, cacheTokens: prompt / 2, queryPairs: ((prompt / steps) * prompt) / 2,
  });
  return { step, tokensPerSecond: load.streams / totalOf(step), firstToken, firstTokenSeconds: totalOf(firstToken) };
}

export const totalOf = ({ lead, experts, overhead, latency, transfer }: TimeTerms): number => lead + experts + overhead + latency + transfer;

/** So many equal steps. */
interface Work {
  readonly steps: number;
  readonly leadTokens: number;
  /** That have as many tokens each. */
  readonly leads: number;
  /** Tokens of a lead after which another is generated. */
  readonly outputs: number;
  /** Cached tokens that a lead reads. */
  readonly cacheTokens: number;
  /** Pairs of a query and a cached token. */
  readonly queryPairs: number;
}

function termsOf(request: SpeedRequest, work: Work): TimeTerms {
  const { size, topology, traffic, efficiency } = request;
  const { steps, leadTokens, outputs, cacheTokens, queryPairs } = work;
  const leadWork = {
    bytes: size.readDenseBytes + cacheTokens * size.kvBytesPerToken,
    flops: leadTokens * (size.denseFlops - size.headFlops) + outputs * size.headFlops + queryPairs * size.attentionFlops,
  };
  const perLink = (cost: (traffic: LinkTraffic) => number): number => traffic.reduce((total, each) => total + cost(each), 0);
  return {
    lead: steps * Math.max(...topology.workers.map((worker) => workSeconds(worker, leadWork, efficiency))),
    experts: steps * expertSeconds(request, work),
    overhead: steps * Math.max(...topology.workers.map(({ device: { overhead } }) => overhead.step + size.layerCount * (overhead.layer + leadTokens * overhead.row) + outputs * overhead.output)),
    latency: steps * waitSeconds(traffic, leadTokens, size.routedLayerCount),
    transfer: steps * leadTokens * perLink(({ link, bytesPerToken }) => bytesPerToken / (link.bytesPerSecond * efficiency.link)),
  };
}

/** Tokens of a step wait together: once a layer at most, on the slowest link that any of them needs. */
function waitSeconds(traffic: readonly LinkTraffic[], tokens: number, layers: number): number {
  let [seconds, left] = [0, layers];
  for (const { link, roundTripsPerToken } of traffic) {
    const waits = Math.min(left, roundTripsPerToken * tokens);
    seconds += waits * link.roundTripSeconds;
    left -= waits;
  }
  return seconds;
}

/** In each layer the slowest worker's, the mean of what routers may choose: it has more to do than workers have on average. */
function expertSeconds({ size, topology, assignment, efficiency }: SpeedRequest, { leads, leadTokens }: Work): number {
  const workers = new Map(topology.workers.map((worker) => [worker.id, worker]));
  const tokens = { leads: topology.workers.slice(0, leads).map(({ id }) => id), tokensPerLead: Math.round(leadTokens), expertsPerToken: size.expertsPerToken };
  const draws = Math.ceil(LEAST_DRAWS / Math.max(1, assignment.length));
  const random = repeatableRandom();
  const slowest = (work: ReadonlyMap<WorkerId, RoutedWork>): number =>
    Math.max(...[...work].map(([id, { experts, rows }]) => workSeconds(workers.get(id)!, { bytes: experts * size.expertBytes, flops: rows * size.expertFlops }, efficiency)));
  return assignment.reduce((total, layer) => {
    let seconds = 0;
    for (let draw = 0; draw < draws; draw++) seconds += slowest(drawRoutedWork(layer, tokens, random));
    return total + seconds / draws;
  }, 0);
}

function workSeconds({ device }: PlannedWorker, { bytes, flops }: { readonly bytes: number; readonly flops: number }, { memory, compute }: Efficiency): number {
  return bytes / (device.readBytesPerSecond * memory) + flops / (device.flopsPerSecond * compute);
}
