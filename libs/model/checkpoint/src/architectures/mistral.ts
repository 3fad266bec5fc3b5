import { z } from 'zod';
import { decoder, decoderKeys } from '../config/decoder-keys.ts';
import { checkGroupedQuery, groupedQueryAttention, groupedQueryKeys } from '../config/grouped-query-keys.ts';
import { parseJson } from '../json/read-json.ts';
import { type Architecture } from './architecture.ts';

/** transformers takes 4096 where the key is absent; null is no window. */
const schema = z.object({ ...decoderKeys, ...groupedQueryKeys, sliding_window: groupedQueryKeys.sliding_window.default(4096) }).superRefine(checkGroupedQuery);

/** Mistral 7B and other dense models of its shape. */
export const mistral: Architecture = {
  name: 'MistralForCausalLM',
  modelType: 'mistral',
  describe: (file) => {
    const config = parseJson(schema, file);
    return { ...decoder(config), family: 'mistral', attention: groupedQueryAttention(config), feedForward: { kind: 'dense', size: config.intermediate_size } };
  },
};
