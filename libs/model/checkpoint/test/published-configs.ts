/** Facts of published configurations, without the keys that change nothing that is computed. */

export const MISTRAL_LARGE_3 = {
  dim: 7168, n_layers: 61, n_heads: 128, n_kv_heads: 128, head_dim: 192, hidden_dim: 16384, vocab_size: 131072, norm_eps: 1e-6, tied_embeddings: false,
  q_lora_rank: 1536, kv_lora_rank: 512, qk_nope_head_dim: 128, qk_rope_head_dim: 64, v_head_dim: 128,
  rope_theta: 10000, max_position_embeddings: 294912,
  yarn: { alpha: 1, beta: 32, factor: 36, original_max_position_embeddings: 8192, apply_scale: false },
  llama_4_scaling: { beta: 0.1, original_max_position_embeddings: 8192 },
  moe: {
    num_experts: 128, num_experts_per_tok: 4, num_shared_experts: 1, expert_hidden_dim: 4096, first_k_dense_replace: 3, route_every_n: 1, routed_scale: 1,
    num_expert_groups: 1, num_expert_groups_per_tok: 1, expert_parallel: 1, expert_model_parallel: 1,
  },
  quantization_config: {
    quant_method: 'compressed-tensors', format: 'float-quantized', quantization_status: 'compressed',
    config_groups: {
      FP8_BLOCK: {
        format: 'float-quantized', targets: ['Linear'], output_activations: null,
        weights: { num_bits: 8, type: 'float', strategy: 'block', block_structure: [128, 128], symmetric: true, dynamic: false },
        input_activations: { num_bits: 8, type: 'float', strategy: 'group', group_size: 128, symmetric: true, dynamic: true },
      },
    },
    ignore: ['model.embed_tokens', 're:vision_encoder.*', 're:.*kv_a_proj_with_mqa$', 're:.*q_a_proj$', 're:.*gate$', 'lm_head'],
  },
};

export const MISTRAL_SMALL_4 = {
  architectures: ['Mistral4ForCausalLM'], model_type: 'mistral4', vocab_size: 131072, hidden_size: 4096, intermediate_size: 12288, moe_intermediate_size: 2048,
  num_hidden_layers: 36, num_attention_heads: 32, num_key_value_heads: 32, n_shared_experts: 1, n_routed_experts: 128, routed_scaling_factor: 1,
  kv_lora_rank: 256, q_lora_rank: 1024, qk_rope_head_dim: 64, v_head_dim: 128, qk_nope_head_dim: 64, n_group: 1, topk_group: 1, num_experts_per_tok: 4,
  first_k_dense_replace: 0, norm_topk_prob: true, hidden_act: 'silu', max_position_embeddings: 1048576, rms_norm_eps: 1e-6, bos_token_id: 1, eos_token_id: 2,
  tie_word_embeddings: false, rope_interleave: true, attention_bias: false, head_dim: 128,
  rope_parameters: {
    type: 'yarn', rope_type: 'yarn', rope_theta: 10000, factor: 128, original_max_position_embeddings: 8192, max_position_embeddings: 1048576, beta_fast: 32,
    beta_slow: 1, mscale_all_dim: 1, mscale: 1, llama_4_scaling_beta: 0.1, partial_rotary_factor: 0.5,
  },
};

export const MINISTRAL_3 = {
  architectures: ['Ministral3ForCausalLM'], model_type: 'ministral3', vocab_size: 131072, hidden_size: 4096, intermediate_size: 14336, num_hidden_layers: 34,
  num_attention_heads: 32, num_key_value_heads: 8, head_dim: 128, hidden_act: 'silu', max_position_embeddings: 262144, rms_norm_eps: 1e-5, bos_token_id: 1,
  eos_token_id: 2, tie_word_embeddings: false,
  rope_parameters: {
    type: 'yarn', rope_type: 'yarn', rope_theta: 1e6, factor: 16, original_max_position_embeddings: 16384, max_position_embeddings: 262144, beta_fast: 32,
    beta_slow: 1, mscale_all_dim: 1, mscale: 1, llama_4_scaling_beta: 0.1,
  },
};

/** As published: transformers 4 wrote it. */
export const DEEPSEEK_V3 = {
  architectures: ['DeepseekV3ForCausalLM'], model_type: 'deepseek_v3', attention_bias: false, bos_token_id: 0, eos_token_id: 1, first_k_dense_replace: 3,
  hidden_act: 'silu', hidden_size: 7168, intermediate_size: 18432, kv_lora_rank: 512, max_position_embeddings: 163840, moe_intermediate_size: 2048,
  moe_layer_freq: 1, n_group: 8, n_routed_experts: 256, n_shared_experts: 1, norm_topk_prob: true, num_attention_heads: 128, num_experts_per_tok: 8,
  num_hidden_layers: 61, num_key_value_heads: 128, num_nextn_predict_layers: 1, q_lora_rank: 1536, qk_nope_head_dim: 128, qk_rope_head_dim: 64,
  quantization_config: { activation_scheme: 'dynamic', fmt: 'e4m3', quant_method: 'fp8', weight_block_size: [128, 128] },
  rms_norm_eps: 1e-6,
  rope_scaling: { beta_fast: 32, beta_slow: 1, factor: 40, mscale: 1, mscale_all_dim: 1, original_max_position_embeddings: 4096, type: 'yarn' },
  rope_theta: 10000, routed_scaling_factor: 2.5, scoring_func: 'sigmoid', tie_word_embeddings: false, topk_group: 4, topk_method: 'noaux_tc',
  torch_dtype: 'bfloat16', v_head_dim: 128, vocab_size: 129280,
};

export const MIXTRAL_8X22B = {
  architectures: ['MixtralForCausalLM'], model_type: 'mixtral', bos_token_id: 1, eos_token_id: 2, hidden_act: 'silu', hidden_size: 6144,
  intermediate_size: 16384, max_position_embeddings: 65536, num_attention_heads: 48, num_experts_per_tok: 2, num_hidden_layers: 56, num_key_value_heads: 8,
  num_local_experts: 8, rms_norm_eps: 1e-5, rope_theta: 1000000, sliding_window: null, tie_word_embeddings: false, torch_dtype: 'bfloat16', vocab_size: 32000,
};
