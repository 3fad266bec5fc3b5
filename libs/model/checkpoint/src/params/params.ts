import { type FeedForward, type GroupedQueryAttention, type LatentAttention, type ModelDescription, PLAIN_ROUTER, type Rope, type YarnRope } from '@essaim/core';
import { type DescribedModel } from '../config/described-model.ts';
import { storedWeights } from '../config/quantisation.ts';
import { stretchedMagnitude } from '../config/yarn.ts';
import { type JsonFile, parseJson } from '../json/read-json.ts';
import { checkParams, type Params, paramsSchema } from './params-keys.ts';

/** Where neither key says how long a sequence may be; mistral-inference computes positions as far as that. */
const CONTEXT_LENGTH = 128_000;
/** params.json names no special tokens: every vocabulary of Mistral's has <s> and </s> there. */
const SPECIAL_TOKENS = { bosTokenId: 1, eosTokenIds: [2] };

const schema = paramsSchema.superRefine(checkParams);

/** The model of a params.json. @see adapt_config_dict in vLLM's transformers_utils/configs/mistral.py */
export function describeParams(file: JsonFile): DescribedModel {
  const params = parseJson(schema, file);
  const stored = storedWeights(file);
  const description: ModelDescription = {
    family: isLatent(params) ? 'mistral4' : params.moe ? 'mixtral' : 'mistral',
    vocabSize: params.vocab_size,
    hiddenSize: params.dim,
    layerCount: params.n_layers,
    contextLength: params.max_position_embeddings ?? params.max_seq_len ?? CONTEXT_LENGTH,
    attention: latentAttention(params) ?? groupedQueryAttention(params),
    rope: rope(params),
    queryScaling: params.llama_4_scaling ? { beta: params.llama_4_scaling.beta, originalContextLength: params.llama_4_scaling.original_max_position_embeddings } : null,
    feedForward: feedForward(params),
    normEpsilon: params.norm_eps,
    tiedEmbedding: params.tied_embeddings,
    ...SPECIAL_TOKENS,
    precision: stored.precision,
    predictorLayerCount: 0,
    vision: params.vision_encoder !== null && params.vision_encoder !== undefined,
  };
  return { description, stored };
}

const isLatent = ({ kv_lora_rank: latentRank }: Params): boolean => latentRank !== undefined;

function groupedQueryAttention({ n_heads: headCount, n_kv_heads: kvHeadCount, head_dim: headSize, sliding_window: slidingWindow }: Params): GroupedQueryAttention {
  return { kind: 'gqa', headCount, kvHeadCount, headSize, slidingWindow: slidingWindow ?? null };
}

/** Null where the model has none: its keys are there together or not at all. */
function latentAttention(params: Params): LatentAttention | null {
  const { kv_lora_rank: latentRank, qk_nope_head_dim: plainSize, qk_rope_head_dim: rotarySize, v_head_dim: valueSize, yarn } = params;
  if (latentRank === undefined || plainSize === undefined || rotarySize === undefined || valueSize === undefined) return null;
  const scoreScale = yarn?.apply_scale ? stretchedMagnitude(yarn.factor) ** 2 : 1;
  return {
    kind: 'mla', headCount: params.n_heads, queryRank: params.q_lora_rank ?? null, latentRank, plainSize, rotarySize, valueSize,
    normEpsilon: params.norm_eps, rotaryPairs: 'interleaved', scoreScale,
  };
}

/** Latent attention corrects the magnitude of its scores instead of that of cosine and sine. */
function rope(params: Params): Rope | YarnRope {
  const { rope_theta: theta, yarn } = params;
  if (!yarn) return { kind: 'default', theta };
  const magnitude = yarn.apply_scale && !isLatent(params) ? stretchedMagnitude(yarn.factor) : 1;
  return { kind: 'yarn', theta, factor: yarn.factor, originalContextLength: yarn.original_max_position_embeddings, betaFast: yarn.beta, betaSlow: yarn.alpha, magnitude };
}

function feedForward({ moe, hidden_dim: denseSize }: Params): FeedForward {
  if (!moe) return { kind: 'dense', size: denseSize };
  const size = moe.expert_hidden_dim ?? denseSize;
  return {
    kind: 'moe',
    size,
    expertCount: moe.num_experts,
    expertsPerToken: moe.num_experts_per_tok,
    router: { ...PLAIN_ROUTER, groupCount: moe.num_expert_groups, groupsPerToken: moe.num_expert_groups_per_tok, scale: moe.routed_scale },
    sharedSize: moe.num_shared_experts * size,
    denseLayerCount: moe.first_k_dense_replace,
    denseSize: moe.first_k_dense_replace === 0 ? 0 : denseSize,
  };
}
