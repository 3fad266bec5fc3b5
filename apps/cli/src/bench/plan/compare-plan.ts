import { type Costs, machineOf, type Observation, planCluster } from '@essaim/planning';
import { type Asked, ASKED } from './observe.ts';

/** What a plan said and what a client saw: tokens per second of streams, milliseconds of a first token. */
export interface PlanRow {
  readonly model: string;
  readonly dtype: string;
  readonly workers: number;
  readonly asked: Asked;
  readonly unit: 'tokens/s' | 'ms';
  readonly predicted: number;
  readonly measured: number;
  /** Predicted to measured. */
  readonly ratio: number;
}

/** Memory is not what these plans are about: everything was seen to fit. */
const ANY_MEMORY = Number.MAX_SAFE_INTEGER;

/** In the order of ASKED, as `observe` returns them. */
export function comparePlan(model: string, observations: readonly Observation[], costs: Costs): PlanRow[] {
  return observations.map((observation, index) => {
    const { dtype, workers, load, seconds, of } = observation;
    const topology = { ...machineOf(workers, costs, { name: 'this machine', memoryBytes: ANY_MEMORY }), measuredWith: dtype };
    const { prediction } = planCluster({ ...observation, topology });
    const speed = prediction!.speed;
    const [predicted, measured] = of === 'step' ? [speed.tokensPerSecond, load.streams / seconds] : [1_000 * speed.firstTokenSeconds, 1_000 * seconds];
    return { model, dtype, workers, asked: ASKED[index]!, unit: of === 'step' ? 'tokens/s' : 'ms', predicted, measured, ratio: predicted / measured };
  });
}
