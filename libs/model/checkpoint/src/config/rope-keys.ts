import { type QueryScaling, type Rope, type YarnRope } from '@essaim/core';
import { z } from 'zod';
import { unimplemented } from '../json/read-json.ts';
import { flag, nonNegativeNumber, positiveNumber, size, word } from './values.ts';
import { stretchedMagnitude } from './yarn.ts';

const SCALED = unimplemented('scales the rotary positions in a way that is not implemented: use a checkpoint of rope type "default" or "yarn"');
const UNTRUNCATED = unimplemented('asks for YaRN without rounded bounds, which is not implemented');

/** `rope_scaling` of transformers 4 and `rope_parameters` of transformers 5; the type was once called `type`. */
const ropeParameters = z
  .object({
    rope_type: word.optional(),
    type: word.optional(),
    rope_theta: positiveNumber.optional(),
    factor: positiveNumber.nullish(),
    original_max_position_embeddings: size.optional(),
    beta_fast: positiveNumber.nullish(),
    beta_slow: positiveNumber.nullish(),
    mscale: nonNegativeNumber.nullish(),
    mscale_all_dim: nonNegativeNumber.nullish(),
    attention_factor: positiveNumber.nullish(),
    /** Mistral's `apply_scale`; transformers ignores it, and vLLM heeds it. */
    apply_yarn_scaling: flag.default(true),
    truncate: flag.default(true).refine((truncate) => truncate, UNTRUNCATED),
    partial_rotary_factor: positiveNumber.nullish(),
    llama_4_scaling_beta: nonNegativeNumber.nullish(),
  }, 'must be an object')
  .refine(({ rope_type: newer, type: older }) => ['default', 'yarn'].includes(newer ?? older ?? 'default'), SCALED);

type RopeParameters = z.output<typeof ropeParameters>;

export const ropeKeys = {
  max_position_embeddings: size,
  rope_theta: positiveNumber.optional(),
  rope_scaling: ropeParameters.nullish(),
  rope_parameters: ropeParameters.nullish(),
};

type RopeConfig = z.output<z.ZodObject<typeof ropeKeys>>;

export function checkRope(config: RopeConfig, context: z.RefinementCtx): void {
  const parameters = parametersOf(config);
  const refuse = (path: string[], message: string): void => context.addIssue({ code: 'custom', path, message });
  if (thetaOf(config) === undefined) refuse(['rope_theta'], 'is missing, and rope_parameters has none either; it must be a positive number');
  const needsOriginal = typeOf(parameters) === 'yarn' || Boolean(parameters.llama_4_scaling_beta);
  if (needsOriginal && parameters.original_max_position_embeddings === undefined) {
    refuse([config.rope_parameters ? 'rope_parameters' : 'rope_scaling'], 'lacks original_max_position_embeddings, the context before it was stretched');
  }
}

/** Share of a head that is rotated. */
export const rotatedShare = (config: RopeConfig): number => parametersOf(config).partial_rotary_factor ?? 1;

/** Of a config that `checkRope` found right. */
export function rope(config: RopeConfig): Rope | YarnRope {
  const parameters = parametersOf(config);
  const theta = thetaOf(config)!;
  if (typeOf(parameters) === 'default') return { kind: 'default', theta };
  const originalContextLength = parameters.original_max_position_embeddings!;
  const factor = parameters.factor ?? config.max_position_embeddings / originalContextLength;
  const { beta_fast: betaFast, beta_slow: betaSlow } = parameters;
  return { kind: 'yarn', theta, factor, originalContextLength, betaFast: betaFast ?? 32, betaSlow: betaSlow ?? 1, magnitude: magnitude(parameters, factor) };
}

/** transformers corrects the magnitude of latent attention's scores, not of cosine and sine, by the square. */
export function scoreScale(config: RopeConfig): number {
  const { mscale_all_dim: weight, apply_yarn_scaling: corrected } = parametersOf(config);
  const positions = rope(config);
  return positions.kind === 'yarn' && weight && corrected ? stretchedMagnitude(positions.factor, weight) ** 2 : 1;
}

export function queryScaling(config: RopeConfig): QueryScaling | null {
  const { llama_4_scaling_beta: beta, original_max_position_embeddings: originalContextLength } = parametersOf(config);
  return beta ? { beta, originalContextLength: originalContextLength! } : null;
}

/** @see _compute_yarn_parameters in transformers' modeling_rope_utils.py */
function magnitude({ attention_factor: given, mscale, mscale_all_dim: mscaleAll, apply_yarn_scaling: corrected }: RopeParameters, factor: number): number {
  if (!corrected || given) return given ?? 1;
  return mscale && mscaleAll ? stretchedMagnitude(factor, mscale) / stretchedMagnitude(factor, mscaleAll) : stretchedMagnitude(factor);
}

const parametersOf = (config: RopeConfig): RopeParameters => config.rope_parameters ?? config.rope_scaling ?? { truncate: true, apply_yarn_scaling: true };
const typeOf = ({ rope_type: newer, type: older }: RopeParameters): string => newer ?? older ?? 'default';
const thetaOf = (config: RopeConfig): number | undefined => config.rope_parameters?.rope_theta ?? config.rope_theta;
