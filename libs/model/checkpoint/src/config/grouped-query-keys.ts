import { type GroupedQueryAttention } from '@essaim/core';
import { type z } from 'zod';
import { unimplemented } from '../json/read-json.ts';
import { type DecoderConfig } from './decoder-keys.ts';
import { checkRope, rotatedShare } from './rope-keys.ts';
import { size } from './values.ts';

const PARTLY_ROTATED = unimplemented('rotates a part of each head only, which is not implemented');

export const groupedQueryKeys = { num_key_value_heads: size.nullable(), head_dim: size.nullish(), sliding_window: size.nullish() };

type GroupedQueryConfig = DecoderConfig & z.output<z.ZodObject<typeof groupedQueryKeys>>;

/** The laws between keys, as a refinement of a schema that has both sets of them. */
export function checkGroupedQuery(config: GroupedQueryConfig, context: z.RefinementCtx): void {
  const refuse = (key: keyof GroupedQueryConfig, message: string): void => context.addIssue({ code: 'custom', path: [key], message });
  const { hidden_size: hidden, num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim: headSize } = config;
  if (kvHeads !== null && heads % kvHeads !== 0) refuse('num_key_value_heads', `is ${kvHeads}, which does not divide the ${heads} of num_attention_heads`);
  if (!headSize && hidden % heads !== 0) refuse('num_attention_heads', `is ${heads}, which does not divide the ${hidden} of hidden_size, and there is no head_dim`);
  if ((headSize ?? hidden / heads) % 2 !== 0) refuse(headSize ? 'head_dim' : 'hidden_size', 'gives heads of an odd size, which rotary positions can\'t turn');
  if (rotatedShare(config) !== 1) context.addIssue({ code: 'custom', path: ['rope_parameters', 'partial_rotary_factor'], params: PARTLY_ROTATED.params, message: PARTLY_ROTATED.error });
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
