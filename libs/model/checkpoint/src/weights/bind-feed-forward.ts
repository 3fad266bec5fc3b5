import { type FeedForwardWeights } from '@essaim/core';
import { type FeedForwardNames } from './tensor-names.ts';
import { type WeightBinder } from './weight-binder.ts';

/** One gated feed-forward network whose three matrices are tensors of their own. `prefix` is that of their names. */
export function bindFeedForward(binder: WeightBinder, prefix: string, { names, size, hiddenSize }: { readonly names: FeedForwardNames; readonly size: number; readonly hiddenSize: number }): FeedForwardWeights {
  return {
    gate: binder.bind(prefix + names.gate, [size, hiddenSize]),
    up: binder.bind(prefix + names.up, [size, hiddenSize]),
    down: binder.bind(prefix + names.down, [hiddenSize, size]),
  };
}
