import { AppError } from '@essaim/core';
import { z } from 'zod';
import { architectures } from '../architectures/architectures.ts';
import { type Architecture } from '../architectures/architecture.ts';
import { IMAGE_AND_TEXT, textPart } from '../architectures/text-part.ts';
import { type DescribedModel } from '../config/described-model.ts';
import { storedWeights } from '../config/quantisation.ts';
import { type JsonFile, parseJson } from '../json/read-json.ts';
import { type TensorNames } from '../weights/tensor-names.ts';
import { type Layout } from './layout.ts';

export const huggingFace: Layout = {
  name: 'Hugging Face',
  configFile: 'config.json',
  weightFiles: { single: 'model.safetensors', index: 'model.safetensors.index.json' },
  describe,
  tensorNames,
};

const NO_NAME = 'must name the architecture of the model';
const architectureSchema = z.object({ architectures: z.array(z.string(), NO_NAME).min(1, NO_NAME) }, 'must be an object');
const textSchema = z.object({ model_type: z.string('must be a string') });

function describe(config: JsonFile): DescribedModel {
  const [name] = parseJson(architectureSchema, config).architectures;
  const vision = name === IMAGE_AND_TEXT;
  const text = vision ? textPart(config) : config;
  const architecture = vision ? byModelType(text) : byName(name!, config);
  const stored = storedWeights(config);
  return { description: { ...architecture.describe(text), precision: stored.precision, vision }, stored };
}

function byName(name: string, { path }: JsonFile): Architecture {
  const found = architectures.find((candidate) => candidate.name === name);
  if (found !== undefined) return found;
  const known = [...architectures.map((candidate) => candidate.name), IMAGE_AND_TEXT].join(', ');
  throw new AppError('unimplemented', `${path}: the architecture ${name} is not implemented: the architectures are ${known}`);
}

function byModelType(text: JsonFile): Architecture {
  const { model_type: modelType } = parseJson(textSchema, text);
  const found = architectures.find((candidate) => candidate.modelType === modelType);
  if (found !== undefined) return found;
  const known = architectures.map((candidate) => candidate.modelType).join(', ');
  throw new AppError('unimplemented', `${text.path}: text_config.model_type ${JSON.stringify(modelType)} is not implemented: the types are ${known}`);
}

const CORRECTION_BIAS = 'gate.e_score_correction_bias';

/** Where the text part lies within the whole model; releases of transformers differ. */
const PLACES = [
  { body: 'model', head: 'lm_head' },
  { body: 'model.language_model', head: 'lm_head' },
  { body: 'language_model.model', head: 'language_model.lm_head' },
] as const;

function tensorNames(has: (name: string) => boolean): TensorNames {
  const { body, head } = PLACES.find((place) => has(`${place.body}.embed_tokens.weight`)) ?? PLACES[0];
  return {
    embedding: `${body}.embed_tokens.weight`,
    finalNorm: `${body}.norm.weight`,
    head: `${head}.weight`,
    layers: `${body}.layers`,
    inputNorm: 'input_layernorm.weight',
    query: 'self_attn.q_proj.weight',
    key: 'self_attn.k_proj.weight',
    value: 'self_attn.v_proj.weight',
    output: 'self_attn.o_proj.weight',
    postAttentionNorm: 'post_attention_layernorm.weight',
    dense: { gate: 'mlp.gate_proj.weight', up: 'mlp.up_proj.weight', down: 'mlp.down_proj.weight' },
    latent: {
      queryDown: 'self_attn.q_a_proj.weight', queryNorm: 'self_attn.q_a_layernorm.weight', queryUp: 'self_attn.q_b_proj.weight',
      keyValueDown: 'self_attn.kv_a_proj_with_mqa.weight', keyValueNorm: 'self_attn.kv_a_layernorm.weight', keyValueUp: 'self_attn.kv_b_proj.weight',
    },
    routed: [
      { place: 'block_sparse_moe.', parts: { gate: 'w1.weight', up: 'w3.weight', down: 'w2.weight' }, correctionBias: CORRECTION_BIAS },
      { place: 'mlp.', parts: { gate: 'gate_proj.weight', up: 'up_proj.weight', down: 'down_proj.weight' }, correctionBias: CORRECTION_BIAS },
    ],
    vision: ['vision_tower.', 'multi_modal_projector.', 'model.vision_tower.', 'model.multi_modal_projector.'],
    rotaryPairs: 'halves',
  };
}
