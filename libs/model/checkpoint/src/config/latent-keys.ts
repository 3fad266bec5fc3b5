import { type LatentAttention } from '@essaim/core';
import { type z } from 'zod';
import { type DecoderConfig } from './decoder-keys.ts';
import { checkRope, scoreScale } from './rope-keys.ts';
import { flag, size } from './values.ts';

/** transformers takes its norms' own default, whatever rms_norm_eps says. */
const LATENT_NORM_EPSILON = 1e-6;

export const latentKeys = {
  q_lora_rank: size.nullish(),
  kv_lora_rank: size,
  qk_nope_head_dim: size,
  qk_rope_head_dim: size,
  v_head_dim: size,
  rope_interleave: flag.nullish(),
};

type LatentConfig = DecoderConfig & z.output<z.ZodObject<typeof latentKeys>>;

export function checkLatent(config: LatentConfig, context: z.RefinementCtx): void {
  if (config.qk_rope_head_dim % 2 !== 0) context.addIssue({ code: 'custom', path: ['qk_rope_head_dim'], message: 'is odd, which rotary positions can\'t turn' });
  checkRope(config, context);
}

export function latentAttention(config: LatentConfig): LatentAttention {
  return {
    kind: 'mla',
    headCount: config.num_attention_heads,
    queryRank: config.q_lora_rank ?? null,
    latentRank: config.kv_lora_rank,
    plainSize: config.qk_nope_head_dim,
    rotarySize: config.qk_rope_head_dim,
    valueSize: config.v_head_dim,
    normEpsilon: LATENT_NORM_EPSILON,
    rotaryPairs: config.rope_interleave === false ? 'halves' : 'interleaved',
    scoreScale: scoreScale(config),
  };
}
