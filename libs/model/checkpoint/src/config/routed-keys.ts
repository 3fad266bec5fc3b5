import { type RoutedFeedForward, type Router } from '@essaim/core';
import { type z } from 'zod';
import { unimplemented } from '../json/read-json.ts';
import { type DecoderConfig } from './decoder-keys.ts';
import { count, countOrNone, flag, positiveNumber, size } from './values.ts';

const SPARSE_LAYERS = unimplemented('leaves layers between the routed ones dense, which is not implemented');

/** Keys of the experts as DeepSeek-V3 and Mistral 4 have them. */
export const routedKeys = {
  moe_intermediate_size: size,
  n_routed_experts: count,
  num_experts_per_tok: count,
  n_shared_experts: countOrNone.nullish(),
  first_k_dense_replace: countOrNone.nullish(),
  moe_layer_freq: count.default(1).refine((every) => every === 1, SPARSE_LAYERS),
  n_group: count.nullish(),
  topk_group: count.nullish(),
  norm_topk_prob: flag.default(true),
  routed_scaling_factor: positiveNumber.default(1),
};

type RoutedConfig = DecoderConfig & z.output<z.ZodObject<typeof routedKeys>>;

export function checkRouted(config: RoutedConfig, context: z.RefinementCtx): void {
  const refuse = (key: keyof RoutedConfig, message: string): void => context.addIssue({ code: 'custom', path: [key], message });
  const { n_routed_experts: experts, num_experts_per_tok: perToken, first_k_dense_replace: dense, num_hidden_layers: layers } = config;
  const groups = config.n_group ?? 1;
  const chosenGroups = config.topk_group ?? 1;
  if (experts % groups !== 0) refuse('n_group', `is ${groups}, which does not divide the ${experts} of n_routed_experts`);
  if (chosenGroups > groups) refuse('topk_group', `is ${chosenGroups}, more than the ${groups} of n_group`);
  if (perToken > (experts / groups) * chosenGroups) refuse('num_experts_per_tok', `is ${perToken}, more experts than the chosen groups have`);
  if ((dense ?? 0) > layers) refuse('first_k_dense_replace', `is ${dense}, more than the ${layers} of num_hidden_layers`);
}

export function routedFeedForward(config: RoutedConfig, router: Pick<Router, 'kind' | 'correctionBias'>): RoutedFeedForward {
  const denseLayerCount = config.first_k_dense_replace ?? 0;
  return {
    kind: 'moe',
    size: config.moe_intermediate_size,
    expertCount: config.n_routed_experts,
    expertsPerToken: config.num_experts_per_tok,
    router: {
      ...router, groupCount: config.n_group ?? 1, groupsPerToken: config.topk_group ?? 1, renormalised: config.norm_topk_prob, scale: config.routed_scaling_factor,
    },
    sharedSize: (config.n_shared_experts ?? 0) * config.moe_intermediate_size,
    denseLayerCount,
    denseSize: denseLayerCount === 0 ? 0 : config.intermediate_size,
  };
}
