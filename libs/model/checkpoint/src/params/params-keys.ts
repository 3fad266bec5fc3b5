import { z } from 'zod';
import { count, countOrNone, flag, nonNegativeNumber, positiveNumber, size, word } from '../config/values.ts';
import { unimplemented } from '../json/read-json.ts';

const SPARSE_LAYERS = unimplemented('leaves layers between the routed ones dense, which is not implemented');
const OTHER_MODEL = unimplemented('names a kind of model that is not implemented: the only one is "transformer"');
const NOT_SILU = unimplemented('names an activation that is not implemented: the only one is "silu"');
const MIXED_WINDOWS = unimplemented('gives layers different windows, which is not implemented');
const ADAPTER = unimplemented('adds low-rank adapters, which is not implemented: merge them into the weights');

/** Once written as a string, and as a list where layers differ. */
const slidingWindow = z
  .unknown()
  .optional()
  .refine((window) => !Array.isArray(window), MIXED_WINDOWS)
  .transform((window) => (typeof window === 'string' ? Number(window) : window))
  .pipe(size.nullish());

const moe = z.object({
  num_experts: count,
  num_experts_per_tok: count,
  num_shared_experts: countOrNone.default(0),
  expert_hidden_dim: size.optional(),
  first_k_dense_replace: countOrNone.default(0),
  route_every_n: count.default(1).refine((every) => every === 1, SPARSE_LAYERS),
  routed_scale: positiveNumber.default(1),
  num_expert_groups: count.default(1),
  num_expert_groups_per_tok: count.default(1),
}, 'must be an object');

const yarn = z.object({
  factor: positiveNumber,
  original_max_position_embeddings: size,
  /** In Mistral's words alpha is the slow bound and beta the fast one. */
  alpha: positiveNumber.default(1),
  beta: positiveNumber.default(32),
  apply_scale: flag.default(true),
}, 'must be an object');

/** The keys of params.json that change what is computed. */
export const paramsSchema = z.object({
  model_type: word.default('transformer').refine((name) => name === 'transformer', OTHER_MODEL),
  activation: word.default('silu').refine((name) => name === 'silu', NOT_SILU),
  lora: z.unknown().optional().refine((adapter) => adapter === undefined || adapter === null, ADAPTER),
  dim: size,
  n_layers: count,
  n_heads: size,
  n_kv_heads: size,
  head_dim: size,
  hidden_dim: size,
  vocab_size: size,
  norm_eps: positiveNumber,
  rope_theta: positiveNumber,
  tied_embeddings: flag.default(false),
  max_position_embeddings: size.nullish(),
  max_seq_len: size.nullish(),
  sliding_window: slidingWindow,
  q_lora_rank: size.nullish(),
  kv_lora_rank: size.optional(),
  qk_nope_head_dim: size.optional(),
  qk_rope_head_dim: size.optional(),
  v_head_dim: size.optional(),
  moe: moe.nullish(),
  yarn: yarn.nullish(),
  llama_4_scaling: z.object({ beta: nonNegativeNumber, original_max_position_embeddings: size }, 'must be an object').nullish(),
  vision_encoder: z.unknown().optional(),
}, 'must be an object');

export type Params = z.output<typeof paramsSchema>;

/** The laws between keys. */
export function checkParams(params: Params, context: z.RefinementCtx): void {
  const refuse = (path: string[], message: string): void => context.addIssue({ code: 'custom', path, message });
  const latent = ['kv_lora_rank', 'qk_nope_head_dim', 'qk_rope_head_dim', 'v_head_dim'] as const;
  const missing = latent.filter((key) => params[key] === undefined);
  if (missing.length > 0 && missing.length < latent.length) refuse([missing[0]!], `is missing, although ${latent.find((key) => !missing.includes(key))} is there`);
  if (missing.length > 0 && params.n_heads % params.n_kv_heads !== 0) refuse(['n_kv_heads'], `is ${params.n_kv_heads}, which does not divide the ${params.n_heads} of n_heads`);
  const rotated = params.qk_rope_head_dim === undefined ? 'head_dim' : 'qk_rope_head_dim';
  if (params[rotated]! % 2 !== 0) refuse([rotated], 'is odd, which rotary positions can\'t turn');
  if (params.moe) checkMoe(params.moe, params.n_layers, (key, message) => refuse(['moe', key], message));
}

function checkMoe(params: z.output<typeof moe>, layers: number, refuse: (key: keyof typeof params, message: string) => void): void {
  const { num_experts: experts, num_experts_per_tok: perToken, num_expert_groups: groups, num_expert_groups_per_tok: chosenGroups, first_k_dense_replace: dense } = params;
  if (experts % groups !== 0) refuse('num_expert_groups', `is ${groups}, which does not divide the ${experts} of num_experts`);
  if (chosenGroups > groups) refuse('num_expert_groups_per_tok', `is ${chosenGroups}, more than the ${groups} of num_expert_groups`);
  if (perToken > (experts / groups) * chosenGroups) refuse('num_experts_per_tok', `is ${perToken}, more experts than the chosen groups have`);
  if (dense > layers) refuse('first_k_dense_replace', `is ${dense}, more than the ${layers} of n_layers`);
}
