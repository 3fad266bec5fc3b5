import { type ComputeDtype, type ModelSpec } from '@essaim/core';
import { type DeviceRates } from '@essaim/devices';
import { activeBytes, activeWeights, promptFlops, type WeightBytes } from '../active-weights.ts';
import { type LoadMetric } from '../peer/metrics.ts';

/** How close a row comes to what the card does at most, which bounds it by one of the two; null where it is the other, or was not measured. */
export interface Shares {
  /** Of a single stream: the bytes of weights that it uses each second over those that the card reads and writes in a copy. */
  readonly ofCopyRate: number | null;
  /** Of a prompt: the multiplications and additions with weights each second over those of a product of large matrices. */
  readonly ofProductRate: number | null;
}

export interface Bounded {
  readonly spec: ModelSpec;
  readonly form: { readonly compute: ComputeDtype; readonly bytes: WeightBytes };
  readonly rates: DeviceRates;
}

/** @param tokensPerSecond of all streams of the load together */
export function sharesOf({ work, load }: Pick<LoadMetric, 'work' | 'load'>, tokensPerSecond: number, { spec, form, rates }: Bounded): Shares {
  const weights = activeWeights(spec);
  const flops = rates.flopsPerSecond[form.compute];
  return {
    ofCopyRate: work === 'decode' && load.streams === 1 ? (tokensPerSecond * activeBytes(weights, form.bytes)) / rates.copyBytesPerSecond : null,
    ofProductRate: work === 'prefill' && flops !== null ? (tokensPerSecond * promptFlops(weights)) / flops : null,
  };
}
