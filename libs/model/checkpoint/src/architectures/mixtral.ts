import { PLAIN_ROUTING } from '@essaim/core';
import { z } from 'zod';
import { decoder, decoderKeys } from '../config/decoder-keys.ts';
import { checkGroupedQuery, groupedQueryAttention, groupedQueryKeys } from '../config/grouped-query-keys.ts';
import { count } from '../config/values.ts';
import { parseJson } from '../json/read-json.ts';
import { type Architecture } from './architecture.ts';

const schema = z
  .object({ ...decoderKeys, ...groupedQueryKeys, num_local_experts: count, num_experts_per_tok: count })
  .superRefine(checkGroupedQuery)
  .refine((config) => config.num_experts_per_tok <= config.num_local_experts, { path: ['num_experts_per_tok'], error: 'is more than num_local_experts' });

/** Mixtral 8x7B and 8x22B. */
export const mixtral: Architecture = {
  name: 'MixtralForCausalLM',
  modelType: 'mixtral',
  describe: (file) => {
    const config = parseJson(schema, file);
    const { intermediate_size: size, num_local_experts: expertCount, num_experts_per_tok: expertsPerToken } = config;
    const feedForward = { kind: 'moe', size, expertCount, expertsPerToken, ...PLAIN_ROUTING } as const;
    return { ...decoder(config), family: 'mixtral', attention: groupedQueryAttention(config), feedForward };
  },
};
