import { type FeedForwardWeights, type LayerWeights, type ModelSpec, type ModelWeights } from '@essaim/core';
import { type WeightBinder } from '../weights/weight-binder.ts';

type FeedForward = LayerWeights['feedForward'];

/** Binds what all decoders of this line name alike; `feedForward` binds the rest of a layer, given the prefix of its names. */
export function bindDecoder(spec: ModelSpec, binder: WeightBinder, feedForward: (layerPrefix: string) => FeedForward): ModelWeights {
  const { vocabSize, hiddenSize, layerCount, tiedEmbedding } = spec;
  const embedding = binder.bind('model.embed_tokens.weight', [vocabSize, hiddenSize]);
  const layers = Array.from({ length: layerCount }, (_, layer): LayerWeights => {
    const prefix = `model.layers.${layer}`;
    return { ...bindAttention(spec, binder, prefix), feedForward: feedForward(prefix) };
  });
  const finalNorm = binder.bind('model.norm.weight', [hiddenSize]);
  const head = tiedEmbedding ? embedding : binder.bind('lm_head.weight', [vocabSize, hiddenSize]);
  return { embedding, layers, finalNorm, head };
}

function bindAttention({ hiddenSize, attention }: ModelSpec, binder: WeightBinder, prefix: string): Omit<LayerWeights, 'feedForward'> {
  const queryWidth = attention.headCount * attention.headSize;
  const keyWidth = attention.kvHeadCount * attention.headSize;
  return {
    inputNorm: binder.bind(`${prefix}.input_layernorm.weight`, [hiddenSize]),
    query: binder.bind(`${prefix}.self_attn.q_proj.weight`, [queryWidth, hiddenSize]),
    key: binder.bind(`${prefix}.self_attn.k_proj.weight`, [keyWidth, hiddenSize]),
    value: binder.bind(`${prefix}.self_attn.v_proj.weight`, [keyWidth, hiddenSize]),
    output: binder.bind(`${prefix}.self_attn.o_proj.weight`, [hiddenSize, queryWidth]),
    postAttentionNorm: binder.bind(`${prefix}.post_attention_layernorm.weight`, [hiddenSize]),
  };
}

export interface FeedForwardNames {
  readonly gate: string;
  readonly up: string;
  readonly down: string;
}

/** One gated feed-forward network whose three matrices are tensors of their own. */
export function bindFeedForward({ hiddenSize, feedForward: { size } }: ModelSpec, binder: WeightBinder, names: FeedForwardNames): FeedForwardWeights {
  return {
    gate: binder.bind(names.gate, [size, hiddenSize]),
    up: binder.bind(names.up, [size, hiddenSize]),
    down: binder.bind(names.down, [hiddenSize, size]),
  };
}
