import { z } from 'zod';
import { decoder, decoderKeys } from '../config/decoder-keys.ts';
import { checkLatent, latentAttention, latentKeys } from '../config/latent-keys.ts';
import { checkRouted, routedFeedForward, routedKeys } from '../config/routed-keys.ts';
import { parseJson } from '../json/read-json.ts';
import { type Architecture } from './architecture.ts';

const schema = z.object({ ...decoderKeys, ...latentKeys, ...routedKeys }).superRefine(checkLatent).superRefine(checkRouted);

/** Mistral Small 4, as transformers names it. */
export const mistral4: Architecture = {
  name: 'Mistral4ForCausalLM',
  modelType: 'mistral4',
  describe: (file) => {
    const config = parseJson(schema, file);
    const feedForward = routedFeedForward(config, { kind: 'softmax', correctionBias: false });
    return { ...decoder(config), family: 'mistral4', attention: latentAttention(config), feedForward };
  },
};
