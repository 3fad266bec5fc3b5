import { floatBytes, type TensorBytes } from './write-safetensors.ts';

/** As transformers 5 writes it: 1 layer, hidden 4, heads 2/1 of 2, 2 experts of 3, vocabulary 5. */
export const TINY_MIXTRAL = {
  architectures: ['MixtralForCausalLM'], model_type: 'mixtral', bos_token_id: 1, eos_token_id: 2, head_dim: 2, hidden_act: 'silu', hidden_size: 4,
  intermediate_size: 3, max_position_embeddings: 64, num_attention_heads: 2, num_experts_per_tok: 1, num_hidden_layers: 1, num_key_value_heads: 1,
  num_local_experts: 2, rms_norm_eps: 1e-5, rope_parameters: { rope_theta: 1e6, rope_type: 'default' }, sliding_window: null, tie_word_embeddings: false, vocab_size: 5,
};

const { num_experts_per_tok: _perToken, num_local_experts: _experts, ...dense } = TINY_MIXTRAL;
export const TINY_MISTRAL = { ...dense, architectures: ['MistralForCausalLM'], model_type: 'mistral' };

/** The same dense model as Mistral writes it. */
export const TINY_PARAMS = {
  dim: 4, n_layers: 1, n_heads: 2, n_kv_heads: 1, head_dim: 2, hidden_dim: 3, vocab_size: 5, norm_eps: 1e-5, rope_theta: 1e6, max_position_embeddings: 64,
};

const SHARED: Readonly<Record<string, readonly number[]>> = {
  'model.embed_tokens.weight': [5, 4],
  'model.layers.0.input_layernorm.weight': [4],
  'model.layers.0.self_attn.q_proj.weight': [4, 4],
  'model.layers.0.self_attn.k_proj.weight': [2, 4],
  'model.layers.0.self_attn.v_proj.weight': [2, 4],
  'model.layers.0.self_attn.o_proj.weight': [4, 4],
  'model.layers.0.post_attention_layernorm.weight': [4],
  'model.norm.weight': [4],
  'lm_head.weight': [5, 4],
};

/** Names and shapes of TINY_MIXTRAL with three tensors an expert. */
export const MIXTRAL_SHAPES: Readonly<Record<string, readonly number[]>> = {
  ...SHARED,
  'model.layers.0.block_sparse_moe.gate.weight': [2, 4],
  'model.layers.0.block_sparse_moe.experts.0.w1.weight': [3, 4],
  'model.layers.0.block_sparse_moe.experts.0.w2.weight': [4, 3],
  'model.layers.0.block_sparse_moe.experts.0.w3.weight': [3, 4],
  'model.layers.0.block_sparse_moe.experts.1.w1.weight': [3, 4],
  'model.layers.0.block_sparse_moe.experts.1.w2.weight': [4, 3],
  'model.layers.0.block_sparse_moe.experts.1.w3.weight': [3, 4],
};

/** Names and shapes of TINY_MIXTRAL with the experts fused. */
export const FUSED_SHAPES: Readonly<Record<string, readonly number[]>> = {
  ...SHARED,
  'model.layers.0.mlp.gate.weight': [2, 4],
  'model.layers.0.mlp.experts.gate_up_proj': [2, 6, 4],
  'model.layers.0.mlp.experts.down_proj': [2, 4, 3],
};

export const MISTRAL_SHAPES: Readonly<Record<string, readonly number[]>> = {
  ...SHARED,
  'model.layers.0.mlp.gate_proj.weight': [3, 4],
  'model.layers.0.mlp.up_proj.weight': [3, 4],
  'model.layers.0.mlp.down_proj.weight': [4, 3],
};

/** Names and shapes of TINY_PARAMS in Mistral's layout. */
export const TINY_PARAMS_SHAPES: Readonly<Record<string, readonly number[]>> = {
  'tok_embeddings.weight': [5, 4],
  'layers.0.attention_norm.weight': [4],
  'layers.0.attention.wq.weight': [4, 4],
  'layers.0.attention.wk.weight': [2, 4],
  'layers.0.attention.wv.weight': [2, 4],
  'layers.0.attention.wo.weight': [4, 4],
  'layers.0.ffn_norm.weight': [4],
  'layers.0.feed_forward.w1.weight': [3, 4],
  'layers.0.feed_forward.w2.weight': [4, 3],
  'layers.0.feed_forward.w3.weight': [3, 4],
  'norm.weight': [4],
  'output.weight': [5, 4],
};

/** Float32 tensors of these shapes; each value is its place in the whole. */
export function countingTensors(shapes: Readonly<Record<string, readonly number[]>>): TensorBytes[] {
  let next = 0;
  return Object.entries(shapes).map(([name, shape]) => {
    const length = shape.reduce((product, size) => product * size, 1);
    return { name, dtype: 'F32', shape, bytes: floatBytes(Array.from({ length }, () => next++)) };
  });
}
