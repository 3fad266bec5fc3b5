import { type FeedForwardWeights, type RoutedFeedForward, type RoutedWeights } from '@essaim/core';
import { bindFeedForward } from './bind-feed-forward.ts';
import { type RoutedNames } from './tensor-names.ts';
import { type WeightBinder } from './weight-binder.ts';

export interface RoutedLayer {
  readonly feedForward: RoutedFeedForward;
  readonly hiddenSize: number;
}

/** The router of a layer, its experts and those that all tokens share. `layer` is the prefix of their names. */
export function bindRouted({ feedForward, hiddenSize }: RoutedLayer, binder: WeightBinder, layer: string): RoutedWeights {
  const { routed } = binder.names;
  const names = routed.find(({ place, parts }) => [`${layer}${place}gate.weight`, `${layer}${place}experts.0.${parts.gate}`].some((name) => binder.has(name))) ?? routed[0]!;
  const prefix = layer + names.place;
  const { expertCount, router, sharedSize } = feedForward;
  return {
    kind: 'moe',
    router: binder.bind(`${prefix}gate.weight`, [expertCount, hiddenSize]),
    correctionBias: router.correctionBias ? binder.bind(prefix + names.correctionBias, [expertCount]) : null,
    experts: bindExperts({ feedForward, hiddenSize }, binder, { prefix: `${prefix}experts.`, names }),
    shared: sharedSize === 0 ? null : bindFeedForward(binder, `${prefix}shared_experts.`, { names: names.parts, size: sharedSize, hiddenSize }),
  };
}

interface ExpertNames {
  readonly prefix: string;
  readonly names: RoutedNames;
}

/** Three tensors for each, or, as transformers 5 can write them, two for all. */
function bindExperts({ feedForward: { size, expertCount }, hiddenSize }: RoutedLayer, binder: WeightBinder, { prefix, names }: ExpertNames): FeedForwardWeights[] {
  if (binder.has(`${prefix}gate_up_proj`)) return bindFused({ size, expertCount, hiddenSize }, binder, prefix);
  return Array.from({ length: expertCount }, (_, expert) => bindFeedForward(binder, `${prefix}${expert}.`, { names: names.parts, size, hiddenSize }));
}

/** gate_up_proj is [experts, 2 * size, hidden], the rows of the gate before those of up; down_proj is [experts, hidden, size]. */
function bindFused({ size, expertCount, hiddenSize }: { readonly size: number; readonly expertCount: number; readonly hiddenSize: number }, binder: WeightBinder, prefix: string): FeedForwardWeights[] {
  const gateUp = binder.bind(`${prefix}gate_up_proj`, [expertCount, 2 * size, hiddenSize]);
  const down = binder.bind(`${prefix}down_proj`, [expertCount, hiddenSize, size]);
  return Array.from({ length: expertCount }, (_, expert) => ({
    gate: gateUp.slice(2 * expert * size, size),
    up: gateUp.slice((2 * expert + 1) * size, size),
    down: down.slice(expert * hiddenSize, hiddenSize),
  }));
}
