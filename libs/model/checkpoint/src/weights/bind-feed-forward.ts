import { type FeedForwardWeights, type ModelSpec } from '@essaim/core';
import { type FeedForwardNames } from './tensor-names.ts';
import { type WeightBinder } from './weight-binder.ts';

/** One gated feed-forward network whose three matrices are tensors of their own. */
export function bindFeedForward({ hiddenSize, feedForward: { size } }: ModelSpec, binder: WeightBinder, names: FeedForwardNames): FeedForwardWeights {
  return {
    gate: binder.bind(names.gate, [size, hiddenSize]),
    up: binder.bind(names.up, [size, hiddenSize]),
    down: binder.bind(names.down, [hiddenSize, size]),
  };
}
