import { type LayerWeights, type ModelSpec, type ModelWeights, type TensorView } from '@essaim/core';
import { bindExperts } from './bind-experts.ts';
import { bindFeedForward } from './bind-feed-forward.ts';
import { HalfSplitView } from './half-split-view.ts';
import { type TensorNames } from './tensor-names.ts';
import { type WeightBinder } from './weight-binder.ts';

/** Gives the tensors of a pre-norm decoder their roles. Binds each tensor of the model once; what is missing or left over is the binder's to refuse. */
export function bindDecoder(spec: ModelSpec, binder: WeightBinder): ModelWeights {
  const { vocabSize, hiddenSize, layerCount, tiedEmbedding } = spec;
  const { names } = binder;
  const embedding = binder.bind(names.embedding, [vocabSize, hiddenSize]);
  const layers = Array.from({ length: layerCount }, (_, layer): LayerWeights => {
    const prefix = `${names.layers}.${layer}.`;
    return { ...bindAttention(spec, binder, prefix), feedForward: bindLayerFeedForward(spec, binder, prefix) };
  });
  const finalNorm = binder.bind(names.finalNorm, [hiddenSize]);
  const head = tiedEmbedding ? embedding : binder.bind(names.head, [vocabSize, hiddenSize]);
  return { embedding, layers, finalNorm, head };
}

function bindAttention({ hiddenSize, attention }: ModelSpec, binder: WeightBinder, prefix: string): Omit<LayerWeights, 'feedForward'> {
  const { names } = binder;
  const queryWidth = attention.headCount * attention.headSize;
  const keyWidth = attention.kvHeadCount * attention.headSize;
  const rotated = (name: string, rows: number): TensorView => halfSplit(names, binder.bind(prefix + name, [rows, hiddenSize]), attention.headSize);
  return {
    inputNorm: binder.bind(prefix + names.inputNorm, [hiddenSize]),
    query: rotated(names.query, queryWidth),
    key: rotated(names.key, keyWidth),
    value: binder.bind(prefix + names.value, [keyWidth, hiddenSize]),
    output: binder.bind(prefix + names.output, [hiddenSize, queryWidth]),
    postAttentionNorm: binder.bind(prefix + names.postAttentionNorm, [hiddenSize]),
  };
}

function halfSplit({ rotaryPairs }: TensorNames, view: TensorView, headSize: number): TensorView {
  return rotaryPairs === 'halves' ? view : new HalfSplitView(view, headSize);
}

function bindLayerFeedForward(spec: ModelSpec, binder: WeightBinder, prefix: string): LayerWeights['feedForward'] {
  if (spec.feedForward.kind === 'moe') return { kind: 'moe', ...bindExperts(spec, binder, prefix) };
  const { gate, up, down } = binder.names.dense;
  return { kind: 'dense', ...bindFeedForward(spec, binder, { gate: prefix + gate, up: prefix + up, down: prefix + down }) };
}
