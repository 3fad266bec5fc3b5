import { type GroupedQueryAttention, type GroupedQueryWeights, type LatentAttention, type LatentAttentionWeights, type ModelSpec, type TensorView } from '@essaim/core';
import { HalfSplitView } from './half-split-view.ts';
import { type TensorNames } from './tensor-names.ts';
import { type WeightBinder } from './weight-binder.ts';

/** The projections of a layer's attention and, where it has latents, their norms. `layer` is the prefix of their names. */
export function bindAttention({ attention, hiddenSize }: Pick<ModelSpec, 'attention' | 'hiddenSize'>, binder: WeightBinder, layer: string): GroupedQueryWeights | LatentAttentionWeights {
  return attention.kind === 'gqa' ? bindGroupedQuery(attention, hiddenSize, { binder, layer }) : bindLatent(attention, hiddenSize, { binder, layer });
}

interface Layer {
  readonly binder: WeightBinder;
  readonly layer: string;
}

function bindGroupedQuery({ headCount, kvHeadCount, headSize }: GroupedQueryAttention, hiddenSize: number, { binder, layer }: Layer): GroupedQueryWeights {
  const { names } = binder;
  const [queryWidth, keyWidth] = [headCount * headSize, kvHeadCount * headSize];
  const rotated = (name: string, rows: number): TensorView => halfSplit(names, binder.bind(layer + name, [rows, hiddenSize]), headSize);
  return {
    kind: 'gqa',
    query: rotated(names.query, queryWidth),
    key: rotated(names.key, keyWidth),
    value: binder.bind(layer + names.value, [keyWidth, hiddenSize]),
    output: binder.bind(layer + names.output, [hiddenSize, queryWidth]),
  };
}

function halfSplit({ rotaryPairs }: TensorNames, view: TensorView, headSize: number): TensorView {
  return rotaryPairs === 'halves' ? view : new HalfSplitView(view, headSize);
}

/** Both layouts have its rows in the same order: which of them turn together, the spec says. */
function bindLatent({ headCount, queryRank, latentRank, plainSize, rotarySize, valueSize }: LatentAttention, hiddenSize: number, { binder, layer }: Layer): LatentAttentionWeights {
  const { output, query, latent } = binder.names;
  const bind = (name: string, ...shape: number[]): TensorView => binder.bind(layer + name, shape);
  const queryWidth = headCount * (plainSize + rotarySize);
  return {
    kind: 'mla',
    queryLatent: queryRank === null ? null : { down: bind(latent.queryDown, queryRank, hiddenSize), norm: bind(latent.queryNorm, queryRank) },
    query: queryRank === null ? bind(query, queryWidth, hiddenSize) : bind(latent.queryUp, queryWidth, queryRank),
    keyValueDown: bind(latent.keyValueDown, latentRank + rotarySize, hiddenSize),
    latentNorm: bind(latent.keyValueNorm, latentRank),
    keyValueUp: bind(latent.keyValueUp, headCount * (plainSize + valueSize), latentRank),
    output: bind(output, hiddenSize, headCount * valueSize),
  };
}
