import { expertCount, type FeedForwardWeights, type ModelSpec, type TensorView } from '@essaim/core';
import { bindFeedForward } from './bind-feed-forward.ts';
import { type WeightBinder } from './weight-binder.ts';

interface Experts {
  readonly router: TensorView;
  readonly experts: readonly FeedForwardWeights[];
}

/** The routed experts of a layer: three tensors for each, or, as transformers 5 can write them, two for all. `layer` is the prefix of their names. */
export function bindExperts(spec: ModelSpec, binder: WeightBinder, layer: string): Experts {
  const { fused, routed } = binder.names;
  if (fused !== null && binder.has(`${layer}${fused}experts.gate_up_proj`)) return bindFused(spec, binder, layer + fused);
  return bindSeparate(spec, binder, layer + (routed.find((place) => binder.has(`${layer}${place}gate.weight`)) ?? routed[0]!));
}

function bindSeparate(spec: ModelSpec, binder: WeightBinder, prefix: string): Experts {
  const router = binder.bind(`${prefix}gate.weight`, [expertCount(spec), spec.hiddenSize]);
  const experts = Array.from({ length: expertCount(spec) }, (_, expert) => {
    const own = `${prefix}experts.${expert}`;
    return bindFeedForward(spec, binder, { gate: `${own}.w1.weight`, up: `${own}.w3.weight`, down: `${own}.w2.weight` });
  });
  return { router, experts };
}

/** gate_up_proj is [experts, 2 * size, hidden], the rows of the gate before those of up; down_proj is [experts, hidden, size]. */
function bindFused(spec: ModelSpec, binder: WeightBinder, prefix: string): Experts {
  const { hiddenSize, feedForward: { size } } = spec;
  const experts = expertCount(spec);
  const router = binder.bind(`${prefix}gate.weight`, [experts, hiddenSize]);
  const gateUp = binder.bind(`${prefix}experts.gate_up_proj`, [experts, 2 * size, hiddenSize]);
  const down = binder.bind(`${prefix}experts.down_proj`, [experts, hiddenSize, size]);
  const slices = Array.from({ length: experts }, (_, expert) => ({
    gate: gateUp.slice(2 * expert * size, size),
    up: gateUp.slice((2 * expert + 1) * size, size),
    down: down.slice(expert * hiddenSize, hiddenSize),
  }));
  return { router, experts: slices };
}
