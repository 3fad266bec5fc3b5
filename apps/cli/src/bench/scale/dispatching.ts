import { type ClusterSnapshot, PLAIN_ROUTER, type Placement, type WorkerId, workerId } from '@essaim/core';
import { type DispatchWork, Dispatcher, type ExpertPeer, type Routing, route } from '@essaim/dispatch';
import { systemClock } from '@essaim/telemetry';
import { seededRandom } from '../random.ts';
import { processorNs } from './processor-time.ts';

export interface DispatchShape {
  readonly tokens: number;
  readonly experts: number;
  readonly workers: number;
}

const EXPERTS_PER_TOKEN = 4;
/** Small, so that what is moved is not what is measured. */
const HIDDEN_SIZE = 16;
const REPLICAS = 2;
/** Tokens of one measurement, at least. */
const MEASURED_TOKENS = 50_000;
const NEVER = new AbortController().signal;

/** Nanoseconds that a lead worker spends for each active token of a layer on grouping by worker, calling and adding up, with workers that answer at once. */
export async function measureDispatch(shape: DispatchShape): Promise<number> {
  const dispatcher = dispatcherTo(placementOf(shape));
  const work = workOf(shape);
  return nsPerToken(shape, () => dispatcher.dispatch(work, NEVER));
}

/** The same of choosing each token's experts from the router's logits. */
export async function measureRouting({ tokens, experts }: Pick<DispatchShape, 'tokens' | 'experts'>): Promise<number> {
  const logits = logitsOf({ tokens, experts });
  return nsPerToken({ tokens }, () => route(logits, { expertCount: experts, expertsPerToken: EXPERTS_PER_TOKEN, router: PLAIN_ROUTER }));
}

async function nsPerToken({ tokens }: Pick<DispatchShape, 'tokens'>, layer: () => unknown): Promise<number> {
  const layers = Math.ceil(MEASURED_TOKENS / tokens);
  const run = async (times: number): Promise<void> => {
    for (let time = 0; time < times; time++) await layer();
  };
  await run(Math.ceil(layers / 4));
  return (await processorNs(() => run(layers))) / (layers * tokens);
}

function workOf({ tokens, experts }: DispatchShape): DispatchWork {
  const routing: Routing = route(logitsOf({ tokens, experts }), { expertCount: experts, expertsPerToken: EXPERTS_PER_TOKEN, router: PLAIN_ROUTER });
  return { step: 1, layer: 0, hiddenSize: HIDDEN_SIZE, activations: new Float32Array(tokens * HIDDEN_SIZE), routing };
}

function logitsOf({ tokens, experts }: Pick<DispatchShape, 'tokens' | 'experts'>): Float32Array {
  const random = seededRandom(1);
  return Float32Array.from({ length: tokens * experts }, () => random.next() / 2 ** 32);
}

/** The lead hosts experts like every other worker; where there are more workers than copies of experts, some have none. */
function placementOf({ experts, workers }: DispatchShape): Placement {
  const copies = Math.min(REPLICAS, workers);
  return [Array.from({ length: experts }, (_, expert) => Array.from({ length: copies }, (_, copy) => ({ worker: workerAt((expert * copies + copy) % workers), state: 'ready' as const })))];
}

const workerAt = (nth: number): WorkerId => workerId(`w${nth}`);

function dispatcherTo(placement: Placement): Dispatcher {
  const snapshot: ClusterSnapshot = { clusterId: 'bench', epoch: 1, model: { id: 'bench', directory: '/', dtype: 'float32', deterministic: false }, workers: [], placement };
  const peer: ExpertPeer = { execute: ({ activations }) => Promise.resolve(new Float32Array(activations.length)) };
  return new Dispatcher({ self: workerAt(0), local: peer, peer: () => peer, snapshot: () => snapshot, newerThan: () => Promise.resolve(null), deterministic: false, clock: systemClock });
}
