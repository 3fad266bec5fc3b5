import { z } from 'zod';
import { decoder, decoderKeys } from '../config/decoder-keys.ts';
import { checkGroupedQuery, groupedQueryAttention, groupedQueryKeys } from '../config/grouped-query-keys.ts';
import { parseJson } from '../json/read-json.ts';
import { type Architecture } from './architecture.ts';

const schema = z.object({ ...decoderKeys, ...groupedQueryKeys }).superRefine(checkGroupedQuery);

/** Ministral 3: a Mistral whose positions are stretched and whose queries are scaled past the original context. */
export const ministral3: Architecture = {
  name: 'Ministral3ForCausalLM',
  modelType: 'ministral3',
  describe: (file) => {
    const config = parseJson(schema, file);
    return { ...decoder(config), family: 'mistral', attention: groupedQueryAttention(config), feedForward: { kind: 'dense', size: config.intermediate_size } };
  },
};
