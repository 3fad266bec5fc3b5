import { assert, type ModelSpec, PLAIN_ROUTING } from '@essaim/core';
import { type Distribution } from './weight-source.ts';

/** A Mixtral of 1.5 billion weights, of which a token uses 0.43: large enough that memory and arithmetic decide, small enough for a laptop. */
export const SYNTHETIC_MIXTRAL: ModelSpec = {
  family: 'mixtral',
  vocabSize: 32_000,
  hiddenSize: 1024,
  layerCount: 16,
  contextLength: 4096,
  attention: { kind: 'gqa', headCount: 16, kvHeadCount: 4, headSize: 64, slidingWindow: null },
  rope: { kind: 'default', theta: 1e6 }, queryScaling: null,
  feedForward: { kind: 'moe', size: 3584, expertCount: 8, expertsPerToken: 2, ...PLAIN_ROUTING },
  normEpsilon: 1e-5,
  tiedEmbedding: false,
  bosTokenId: 0,
  eosTokenIds: [1],
};

/** A Mixtral of 11.8 billion weights, 3.3 of them used by a token: several gigabytes in any form, for cards. */
export const SYNTHETIC_LARGE: ModelSpec = {
  ...SYNTHETIC_MIXTRAL, hiddenSize: 4096, layerCount: 8, attention: { kind: 'gqa', headCount: 32, kvHeadCount: 8, headSize: 128, slidingWindow: null },
  feedForward: { kind: 'moe', size: 14_336, expertCount: 8, expertsPerToken: 2, ...PLAIN_ROUTING },
};

/** One tensor to write. */
export interface PlannedTensor extends Distribution {
  readonly name: string;
  /** As the file says it: [rows, columns], or [columns] of a vector. */
  readonly shape: readonly number[];
}

export const valueCount = ({ shape }: PlannedTensor): number => shape.reduce((product, size) => product * size, 1);

/** Every tensor of a Mixtral, named as transformers names them, in the order in which a token meets them. */
export function tensorsOf(spec: ModelSpec): PlannedTensor[] {
  const { vocabSize, hiddenSize, layerCount } = spec;
  return [
    // Looking a row up adds nothing up: its fan-in is 1.
    { ...matrix('model.embed_tokens.weight', vocabSize, hiddenSize), deviation: 1 },
    ...Array.from({ length: layerCount }, (_, layer) => layerTensors(spec, `model.layers.${layer}`)).flat(),
    norm('model.norm.weight', hiddenSize),
    ...(spec.tiedEmbedding ? [] : [matrix('lm_head.weight', vocabSize, hiddenSize)]),
  ];
}

function layerTensors({ hiddenSize, attention, feedForward }: ModelSpec, prefix: string): PlannedTensor[] {
  assert(attention.kind === 'gqa' && feedForward.kind === 'moe', 'a Mixtral has grouped queries and experts');
  const queryWidth = attention.headCount * attention.headSize;
  const keyWidth = attention.kvHeadCount * attention.headSize;
  return [
    norm(`${prefix}.input_layernorm.weight`, hiddenSize),
    matrix(`${prefix}.self_attn.q_proj.weight`, queryWidth, hiddenSize),
    matrix(`${prefix}.self_attn.k_proj.weight`, keyWidth, hiddenSize),
    matrix(`${prefix}.self_attn.v_proj.weight`, keyWidth, hiddenSize),
    matrix(`${prefix}.self_attn.o_proj.weight`, hiddenSize, queryWidth),
    norm(`${prefix}.post_attention_layernorm.weight`, hiddenSize),
    matrix(`${prefix}.block_sparse_moe.gate.weight`, feedForward.expertCount, hiddenSize),
    ...Array.from({ length: feedForward.expertCount }, (_, expert) => `${prefix}.block_sparse_moe.experts.${expert}`).flatMap((own) => [
      matrix(`${own}.w1.weight`, feedForward.size, hiddenSize),
      matrix(`${own}.w2.weight`, hiddenSize, feedForward.size),
      matrix(`${own}.w3.weight`, feedForward.size, hiddenSize),
    ]),
  ];
}

/** Of 1 / sqrt(fan-in), so that activations keep their size from layer to layer and the router's choices spread over all experts. */
const matrix = (name: string, rows: number, columns: number): PlannedTensor => ({ name, shape: [rows, columns], mean: 0, deviation: 1 / Math.sqrt(columns) });

const norm = (name: string, size: number): PlannedTensor => ({ name, shape: [size], mean: 1, deviation: 0.1 });

/** config.json as transformers 5 writes it. */
export function configOf(spec: ModelSpec): object {
  const { attention, feedForward } = spec;
  assert(attention.kind === 'gqa' && feedForward.kind === 'moe', 'a Mixtral has grouped queries and experts');
  return {
    architectures: ['MixtralForCausalLM'],
    attention_dropout: 0,
    bos_token_id: spec.bosTokenId,
    dtype: 'bfloat16',
    eos_token_id: spec.eosTokenIds[0],
    head_dim: attention.headSize,
    hidden_act: 'silu',
    hidden_size: spec.hiddenSize,
    initializer_range: 0.02,
    intermediate_size: feedForward.size,
    max_position_embeddings: spec.contextLength,
    model_type: 'mixtral',
    num_attention_heads: attention.headCount,
    num_experts_per_tok: feedForward.expertsPerToken,
    num_hidden_layers: spec.layerCount,
    num_key_value_heads: attention.kvHeadCount,
    num_local_experts: feedForward.expertCount,
    output_router_logits: false,
    pad_token_id: null,
    rms_norm_eps: spec.normEpsilon,
    rope_parameters: { rope_theta: spec.rope.theta, rope_type: 'default' },
    router_aux_loss_coef: 0.001,
    router_jitter_noise: 0,
    sliding_window: attention.slidingWindow,
    tie_word_embeddings: spec.tiedEmbedding,
    transformers_version: '5.23.0',
    use_cache: true,
    vocab_size: spec.vocabSize,
  };
}
