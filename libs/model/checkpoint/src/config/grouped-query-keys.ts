import { type GroupedQueryAttention } from '@essaim/core';
import { type z } from 'zod';
import { type DecoderConfig } from './decoder-keys.ts';
import { checkRope } from './rope-keys.ts';
import { size } from './values.ts';

export const groupedQueryKeys = { num_key_value_heads: size.nullable(), head_dim: size.nullish(), sliding_window: size.nullish() };

type GroupedQueryConfig = DecoderConfig & z.output<z.ZodObject<typeof groupedQueryKeys>>;

/** The laws between keys, as a refinement of a schema that has both sets of them. */
export function checkGroupedQuery(config: GroupedQueryConfig, context: z.RefinementCtx): void {
  const refuse = (key: keyof GroupedQueryConfig, message: string): void => context.addIssue({ code: 'custom', path: [key], message });
  const { hidden_size: hidden, num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim: headSize } = config;
  if (kvHeads !== null && heads % kvHeads !== 0) refuse('num_key_value_heads', `is ${kvHeads}, which does not divide the ${heads} of num_attention_heads`);
  if (!headSize && hidden % heads !== 0) refuse('num_attention_heads', `is ${heads}, which does not divide the ${hidden} of hidden_size, and there is no head_dim`);
  if ((headSize ?? hidden / heads) % 2 !== 0) refuse(headSize ? 'head_dim' : 'hidden_size', 'gives heads of an odd size, which rotary positions can\'t turn');
  checkRope(config, context);
}

export function groupedQueryAttention(config: GroupedQueryConfig): GroupedQueryAttention {
  return {
    kind: 'gqa',
    headCount: config.num_attention_heads,
    kvHeadCount: config.num_key_value_heads ?? config.num_attention_heads,
    headSize: config.head_dim ?? config.hidden_size / config.num_attention_heads,
    slidingWindow: config.sliding_window ?? null,
  };
}
