import { type ModelSpec, type ModelWeights } from '@essaim/core';
import { z } from 'zod';
import { checkDecoder, decoderKeys, decoderSpec } from '../../config/decoder-keys.ts';
import { count } from '../../config/values.ts';
import { type JsonFile, parseJson } from '../../json/read-json.ts';
import { type WeightBinder } from '../../weights/weight-binder.ts';
import { bindDecoder } from '../bind-decoder.ts';
import { type Family } from '../family.ts';
import { bindExperts } from './bind-experts.ts';

const schema = z
  .object({ ...decoderKeys, num_local_experts: count, num_experts_per_tok: count })
  .superRefine(checkDecoder)
  .refine((config) => config.num_experts_per_tok <= config.num_local_experts, { path: ['num_experts_per_tok'], error: 'is more than num_local_experts' });

/** Mixtral 8x7B and 8x22B. */
export const mixtral: Family = { architecture: 'MixtralForCausalLM', readSpec, bindWeights };

function readSpec(file: JsonFile): ModelSpec {
  const config = parseJson(schema, file);
  const { intermediate_size: size, num_local_experts: expertCount, num_experts_per_tok: expertsPerToken } = config;
  return { ...decoderSpec(config), family: 'mixtral', feedForward: { kind: 'moe', size, expertCount, expertsPerToken } };
}

function bindWeights(spec: ModelSpec, binder: WeightBinder): ModelWeights {
  return bindDecoder(spec, binder, (prefix) => ({ kind: 'moe', ...bindExperts(spec, binder, prefix) }));
}
