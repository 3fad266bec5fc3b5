import { type GroupedQueryAttention, type ModelSpec } from '@essaim/core';
import { z } from 'zod';
import { unimplemented } from '../json/read-json.ts';
import { specialTokenKeys, specialTokens } from './special-tokens.ts';
import { count, flag, positiveNumber, size, word } from './values.ts';

const SCALED = unimplemented('scales the rotary positions, which is not implemented: use a checkpoint of rope type "default"');
const QUANTISED = unimplemented('says that the weights are quantised, which is not implemented: use the unquantised checkpoint');
const NOT_SILU = unimplemented('names an activation that is not implemented: the only one is "silu"');

/** `rope_scaling` of transformers 4 and `rope_parameters` of transformers 5; the type was once called `type`. */
const ropeParameters = z
  .object({ rope_type: word.optional(), type: word.optional(), rope_theta: positiveNumber.optional() }, 'must be an object')
  .refine(({ rope_type, type }) => (rope_type ?? type ?? 'default') === 'default', SCALED);

/** The keys of config.json that every decoder of this line has, as transformers 4 and 5 write them. Keys that change nothing here are ignored. */
export const decoderKeys = {
  quantization_config: z.unknown().optional().refine((value) => value === undefined || value === null, QUANTISED),
  hidden_act: word.default('silu').refine((name) => name === 'silu', NOT_SILU),
  vocab_size: size,
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: count,
  num_attention_heads: size,
  num_key_value_heads: size.nullable(),
  head_dim: size.nullish(),
  max_position_embeddings: size,
  rms_norm_eps: positiveNumber,
  rope_theta: positiveNumber.optional(),
  rope_scaling: ropeParameters.nullish(),
  rope_parameters: ropeParameters.nullish(),
  sliding_window: size.nullish(),
  tie_word_embeddings: flag.default(false),
  ...specialTokenKeys,
};

type DecoderConfig = z.output<z.ZodObject<typeof decoderKeys>>;

/** The laws between keys, as a refinement of a schema that has `decoderKeys`. */
export function checkDecoder(config: DecoderConfig, context: z.RefinementCtx): void {
  const refuse = (key: keyof DecoderConfig, message: string): void => context.addIssue({ code: 'custom', path: [key], message });
  const { hidden_size: hidden, num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim: headSize } = config;
  if (kvHeads !== null && heads % kvHeads !== 0) refuse('num_key_value_heads', `is ${kvHeads}, which does not divide the ${heads} of num_attention_heads`);
  if (!headSize && hidden % heads !== 0) refuse('num_attention_heads', `is ${heads}, which does not divide the ${hidden} of hidden_size, and there is no head_dim`);
  if ((headSize ?? hidden / heads) % 2 !== 0) refuse(headSize ? 'head_dim' : 'hidden_size', 'gives heads of an odd size, which rotary positions can\'t turn');
  if (ropeTheta(config) === undefined) refuse('rope_theta', 'is missing, and rope_parameters has none either; it must be a positive number');
}

/** The part of a ModelSpec that these keys determine. */
export function decoderSpec(config: DecoderConfig): Omit<ModelSpec, 'family' | 'feedForward'> {
  return {
    vocabSize: config.vocab_size,
    hiddenSize: config.hidden_size,
    layerCount: config.num_hidden_layers,
    contextLength: config.max_position_embeddings,
    attention: attention(config),
    rope: { kind: 'default', theta: ropeTheta(config)! },
    normEpsilon: config.rms_norm_eps,
    tiedEmbedding: config.tie_word_embeddings,
    ...specialTokens(config),
  };
}

function attention(config: DecoderConfig): GroupedQueryAttention {
  return {
    kind: 'gqa',
    headCount: config.num_attention_heads,
    kvHeadCount: config.num_key_value_heads ?? config.num_attention_heads,
    headSize: config.head_dim ?? config.hidden_size / config.num_attention_heads,
    slidingWindow: config.sliding_window ?? null,
  };
}

const ropeTheta = (config: DecoderConfig): number | undefined => config.rope_parameters?.rope_theta ?? config.rope_theta;
