import { z } from 'zod';
import { decoder, decoderKeys } from '../config/decoder-keys.ts';
import { checkLatent, latentAttention, latentKeys } from '../config/latent-keys.ts';
import { checkRouted, routedFeedForward, routedKeys } from '../config/routed-keys.ts';
import { countOrNone, word } from '../config/values.ts';
import { parseJson, unimplemented } from '../json/read-json.ts';
import { type Architecture } from './architecture.ts';

const OTHER_ROUTER = unimplemented('names a way of choosing experts that is not implemented: the only one here is that of DeepSeek-V3');

const schema = z
  .object({
    ...decoderKeys, ...latentKeys, ...routedKeys,
    num_nextn_predict_layers: countOrNone.nullish(),
    scoring_func: word.default('sigmoid').refine((name) => name === 'sigmoid', OTHER_ROUTER),
    topk_method: word.default('noaux_tc').refine((name) => name === 'noaux_tc', OTHER_ROUTER),
  })
  .superRefine(checkLatent)
  .superRefine(checkRouted);

/** DeepSeek-V3 and R1. */
export const deepseekV3: Architecture = {
  name: 'DeepseekV3ForCausalLM',
  modelType: 'deepseek_v3',
  describe: (file) => {
    const config = parseJson(schema, file);
    const feedForward = routedFeedForward(config, { kind: 'sigmoid', correctionBias: true });
    return { ...decoder(config), family: 'deepseek-v3', attention: latentAttention(config), feedForward, predictorLayerCount: config.num_nextn_predict_layers ?? 0 };
  },
};
