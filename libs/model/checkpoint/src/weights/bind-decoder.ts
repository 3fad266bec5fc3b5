import { denseSizeOf, isRouted, type LayerWeights, type ModelSpec, type ModelWeights } from '@essaim/core';
import { bindAttention } from './bind-attention.ts';
import { bindFeedForward } from './bind-feed-forward.ts';
import { bindRouted } from './bind-routed.ts';
import { type WeightBinder } from './weight-binder.ts';

/** Gives the tensors of a pre-norm decoder their roles. Binds each tensor of the model once; what is missing or left over is the binder's to refuse. */
export function bindDecoder(spec: ModelSpec, binder: WeightBinder): ModelWeights {
  const { vocabSize, hiddenSize, layerCount, tiedEmbedding } = spec;
  const { names } = binder;
  const embedding = binder.bind(names.embedding, [vocabSize, hiddenSize]);
  const layers = Array.from({ length: layerCount }, (_, layer) => bindLayer(spec, binder, layer));
  const finalNorm = binder.bind(names.finalNorm, [hiddenSize]);
  const head = tiedEmbedding ? embedding : binder.bind(names.head, [vocabSize, hiddenSize]);
  return { embedding, layers, finalNorm, head };
}

function bindLayer(spec: ModelSpec, binder: WeightBinder, layer: number): LayerWeights {
  const { names } = binder;
  const prefix = `${names.layers}.${layer}.`;
  const norm = (name: string) => binder.bind(prefix + name, [spec.hiddenSize]);
  return {
    inputNorm: norm(names.inputNorm),
    attention: bindAttention(spec, binder, prefix),
    postAttentionNorm: norm(names.postAttentionNorm),
    feedForward: bindLayerFeedForward(spec, binder, { layer, prefix }),
  };
}

function bindLayerFeedForward(spec: ModelSpec, binder: WeightBinder, { layer, prefix }: { readonly layer: number; readonly prefix: string }): LayerWeights['feedForward'] {
  const { feedForward, hiddenSize } = spec;
  if (feedForward.kind === 'moe' && isRouted(spec, layer)) return bindRouted({ feedForward, hiddenSize }, binder, prefix);
  return { kind: 'dense', ...bindFeedForward(binder, prefix, { names: binder.names.dense, size: denseSizeOf(spec, layer), hiddenSize }) };
}
