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

/** As DeepSeek-V3: the first of 2 layers dense, 2 experts of 3 and 1 shared one; 2 heads of 2 plain and 2 rotated values, values of 1, latents of 6 and 5. */
export const TINY_DEEPSEEK = {
  architectures: ['DeepseekV3ForCausalLM'], model_type: 'deepseek_v3', bos_token_id: 1, eos_token_id: 2, hidden_act: 'silu', hidden_size: 4, vocab_size: 5,
  num_hidden_layers: 2, num_attention_heads: 2, q_lora_rank: 6, kv_lora_rank: 5, qk_nope_head_dim: 2, qk_rope_head_dim: 2, v_head_dim: 1,
  first_k_dense_replace: 1, intermediate_size: 7, moe_intermediate_size: 3, n_routed_experts: 2, n_shared_experts: 1, num_experts_per_tok: 1, n_group: 1, topk_group: 1,
  max_position_embeddings: 64, rms_norm_eps: 1e-5, rope_parameters: { rope_theta: 1e6, rope_type: 'default' }, tie_word_embeddings: false,
};

/** The same without the correction bias, as Mistral writes it. */
export const TINY_LATENT_PARAMS = {
  dim: 4, n_layers: 2, n_heads: 2, n_kv_heads: 2, head_dim: 4, hidden_dim: 7, vocab_size: 5, norm_eps: 1e-5, rope_theta: 1e6, max_position_embeddings: 64,
  q_lora_rank: 6, kv_lora_rank: 5, qk_nope_head_dim: 2, qk_rope_head_dim: 2, v_head_dim: 1,
  moe: { num_experts: 2, num_experts_per_tok: 1, num_shared_experts: 1, expert_hidden_dim: 3, first_k_dense_replace: 1 },
};

type Shapes = Readonly<Record<string, readonly number[]>>;
const within = (prefix: string, shapes: Shapes): Shapes => Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [prefix + name, shape]));
const HUGGING_FACE_PARTS = ['gate_proj', 'up_proj', 'down_proj'] as const;
const MISTRAL_PARTS = ['w1', 'w3', 'w2'] as const;
const network = (size: number, [gate, up, down]: readonly [string, string, string] = HUGGING_FACE_PARTS): Shapes => ({ [`${gate}.weight`]: [size, 4], [`${up}.weight`]: [size, 4], [`${down}.weight`]: [4, size] });

const DEEPSEEK_LAYER: Shapes = {
  'input_layernorm.weight': [4], 'post_attention_layernorm.weight': [4],
  'self_attn.q_a_proj.weight': [6, 4], 'self_attn.q_a_layernorm.weight': [6], 'self_attn.q_b_proj.weight': [8, 6],
  'self_attn.kv_a_proj_with_mqa.weight': [7, 4], 'self_attn.kv_a_layernorm.weight': [5], 'self_attn.kv_b_proj.weight': [6, 5], 'self_attn.o_proj.weight': [4, 2],
};

/** Names and shapes of TINY_DEEPSEEK. */
export const DEEPSEEK_SHAPES: Shapes = {
  'model.embed_tokens.weight': [5, 4], 'model.norm.weight': [4], 'lm_head.weight': [5, 4],
  ...within('model.layers.0.', { ...DEEPSEEK_LAYER, ...within('mlp.', network(7)) }),
  ...within('model.layers.1.', {
    ...DEEPSEEK_LAYER, 'mlp.gate.weight': [2, 4], 'mlp.gate.e_score_correction_bias': [2],
    ...within('mlp.experts.0.', network(3)), ...within('mlp.experts.1.', network(3)), ...within('mlp.shared_experts.', network(3)),
  }),
};

const LATENT_LAYER: Shapes = {
  'attention_norm.weight': [4], 'ffn_norm.weight': [4],
  'attention.wq_a.weight': [6, 4], 'attention.q_a_norm.weight': [6], 'attention.wq_b.weight': [8, 6],
  'attention.wkv_a_with_mqa.weight': [7, 4], 'attention.kv_a_norm.weight': [5], 'attention.wkv_b.weight': [6, 5], 'attention.wo.weight': [4, 2],
};

/** Names and shapes of TINY_LATENT_PARAMS. */
export const LATENT_PARAMS_SHAPES: Shapes = {
  'tok_embeddings.weight': [5, 4], 'norm.weight': [4], 'output.weight': [5, 4],
  ...within('layers.0.', { ...LATENT_LAYER, ...within('feed_forward.', network(7, MISTRAL_PARTS)) }),
  ...within('layers.1.', {
    ...LATENT_LAYER, 'gate.weight': [2, 4],
    ...within('experts.0.', network(3, MISTRAL_PARTS)), ...within('experts.1.', network(3, MISTRAL_PARTS)), ...within('shared_experts.', network(3, MISTRAL_PARTS)),
  }),
};

/** Float32 tensors of these shapes; each value is its place in the whole. */
export function countingTensors(shapes: Readonly<Record<string, readonly number[]>>): TensorBytes[] {
  let next = 0;
  return Object.entries(shapes).map(([name, shape]) => {
    const length = shape.reduce((product, size) => product * size, 1);
    return { name, dtype: 'F32', shape, bytes: floatBytes(Array.from({ length }, () => next++)) };
  });
}
