import { type ModelSpec, type ModelWeights } from '@essaim/core';
import { z } from 'zod';
import { checkDecoder, decoderKeys, decoderSpec } from '../../config/decoder-keys.ts';
import { type JsonFile, parseJson } from '../../json/read-json.ts';
import { type WeightBinder } from '../../weights/weight-binder.ts';
import { bindDecoder, bindFeedForward } from '../bind-decoder.ts';
import { type Family } from '../family.ts';

/** transformers takes 4096 where the key is absent; null is no window. */
const schema = z.object({ ...decoderKeys, sliding_window: decoderKeys.sliding_window.default(4096) }).superRefine(checkDecoder);

/** Mistral 7B and other dense models of its shape. */
export const mistral: Family = { architecture: 'MistralForCausalLM', readSpec, bindWeights };

function readSpec(file: JsonFile): ModelSpec {
  const config = parseJson(schema, file);
  return { ...decoderSpec(config), family: 'mistral', feedForward: { kind: 'dense', size: config.intermediate_size } };
}

function bindWeights(spec: ModelSpec, binder: WeightBinder): ModelWeights {
  return bindDecoder(spec, binder, (prefix) => {
    const names = { gate: `${prefix}.mlp.gate_proj.weight`, up: `${prefix}.mlp.up_proj.weight`, down: `${prefix}.mlp.down_proj.weight` };
    return { kind: 'dense', ...bindFeedForward(spec, binder, names) };
  });
}
