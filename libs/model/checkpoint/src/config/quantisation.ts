import { type WeightPrecision } from '@essaim/core';
import { z } from 'zod';
import { type JsonFile, parseJson, unimplemented } from '../json/read-json.ts';
import { size, word } from './values.ts';

/** How the matrices are stored. Which of them are quantised, their tensors say themselves. */
export interface StoredWeights {
  readonly precision: WeightPrecision;
  /** Rows and columns of an FP8 block with one scale, where a matrix has neither one scale nor one a row. */
  readonly block: readonly [rows: number, columns: number];
}

const BLOCK = [128, 128] as const;
const OTHER_FORM = unimplemented('says that the weights are quantised in a form that is not implemented: use a checkpoint in bf16, in FP8 (e4m3) or in NVFP4');

const block = z.tuple([size, size], 'must be a pair of sizes').nullish();

/** transformers' own: e4m3 with a scale for each tensor or block. */
const fp8 = z.object({ quant_method: z.literal('fp8'), fmt: word.default('e4m3'), weight_block_size: block }).refine(({ fmt }) => fmt === 'e4m3', OTHER_FORM);

const groupWeights = z.object({ num_bits: size, type: word, strategy: word, group_size: size.nullish(), symmetric: z.boolean().default(true), block_structure: block });
type GroupWeights = z.output<typeof groupWeights>;

const isFp8 = ({ num_bits, type, strategy, symmetric }: GroupWeights): boolean =>
  num_bits === 8 && type === 'float' && symmetric && ['tensor', 'channel', 'block'].includes(strategy);
const isNvfp4 = ({ num_bits, type, strategy, group_size, symmetric }: GroupWeights): boolean =>
  num_bits === 4 && type === 'float' && symmetric && strategy === 'tensor_group' && group_size === 16;

/** compressed-tensors: what is right for activations and the KV cache changes nothing here, where both are floats. */
const compressedTensors = z.object({
  quant_method: z.enum(['compressed-tensors', 'compressed_tensors']),
  transform_config: z.unknown().optional().refine((transforms) => transforms === undefined || transforms === null || Object.keys(transforms).length === 0, OTHER_FORM),
  config_groups: z.record(z.string(), z.object({ weights: groupWeights.refine((weights) => isFp8(weights) || isNvfp4(weights), OTHER_FORM).nullish() })),
});

const anyMethod = z.object({ quant_method: word }, 'must be an object').refine(({ quant_method: method }) => ['fp8', 'compressed-tensors', 'compressed_tensors'].includes(method), OTHER_FORM);

const schema = z.object({
  /** Of Hugging Face's config.json, and of some params.json. */
  quantization_config: anyMethod.nullish(),
  /** Of params.json. */
  quantization: z.object({ qformat_weight: word.refine((format) => format === 'fp8_e4m3', OTHER_FORM) }, 'must be an object').nullish(),
});

/** What a configuration, of either layout, says of how the weights are stored. */
export function storedWeights(config: JsonFile): StoredWeights {
  const { quantization, quantization_config: described } = parseJson(schema, config);
  if (!described) return { precision: quantization ? 'fp8' : 'float', block: BLOCK };
  const file = { ...config, within: ['quantization_config'], value: (config.value as { readonly quantization_config: unknown }).quantization_config };
  return described.quant_method === 'fp8' ? { precision: 'fp8', block: parseJson(fp8, file).weight_block_size ?? BLOCK } : ofGroups(parseJson(compressedTensors, file));
}

function ofGroups({ config_groups: groups }: z.output<typeof compressedTensors>): StoredWeights {
  const weights = Object.values(groups).flatMap((group) => group.weights ?? []);
  const precision = weights.some(isNvfp4) ? 'nvfp4' : weights.length > 0 ? 'fp8' : 'float';
  return { precision, block: weights.find(({ strategy }) => strategy === 'block')?.block_structure ?? BLOCK };
}
