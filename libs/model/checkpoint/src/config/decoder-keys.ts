import { type z } from 'zod';
import { unimplemented } from '../json/read-json.ts';
import { type DescribedArchitecture } from './described-model.ts';
import { queryScaling, rope, ropeKeys } from './rope-keys.ts';
import { specialTokenKeys, specialTokens } from './special-tokens.ts';
import { count, flag, positiveNumber, size, word } from './values.ts';

const NOT_SILU = unimplemented('names an activation that is not implemented: the only one is "silu"');
const BIAS = unimplemented('adds a bias to the projections of attention, which is not implemented');

/** The keys of config.json that every decoder of this line has, as transformers 4 and 5 write them. Keys that change nothing here are ignored. */
export const decoderKeys = {
  hidden_act: word.default('silu').refine((name) => name === 'silu', NOT_SILU),
  attention_bias: flag.default(false).refine((bias) => !bias, BIAS),
  vocab_size: size,
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: count,
  num_attention_heads: size,
  rms_norm_eps: positiveNumber,
  tie_word_embeddings: flag.default(false),
  ...ropeKeys,
  ...specialTokenKeys,
};

export type DecoderConfig = z.output<z.ZodObject<typeof decoderKeys>>;

/** The part of a description that these keys determine. */
export function decoder(config: DecoderConfig): Omit<DescribedArchitecture, 'family' | 'attention' | 'feedForward'> {
  return {
    vocabSize: config.vocab_size,
    hiddenSize: config.hidden_size,
    layerCount: config.num_hidden_layers,
    contextLength: config.max_position_embeddings,
    rope: rope(config),
    queryScaling: queryScaling(config),
    normEpsilon: config.rms_norm_eps,
    tiedEmbedding: config.tie_word_embeddings,
    predictorLayerCount: 0,
    ...specialTokens(config),
  };
}
