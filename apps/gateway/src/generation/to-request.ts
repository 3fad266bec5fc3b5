import { AppError, type Constraint, LIMITS, type RequestId, type SamplingParams } from '@essaim/core';
import { type ServedModel } from '../model/served-model.ts';
import { type GenerationFields } from './fields.ts';
import { requireTokenIds } from './prompts.ts';
import { type GenerationRequest, type Prompt, sequenceCount } from './request.ts';

export interface Asked {
  readonly requestId: RequestId;
  readonly prompts: readonly Prompt[];
  readonly answersPerPrompt: number;
  readonly logprobs: number | null;
  readonly promptLogprobs: number | null;
  readonly constraint?: Constraint;
  readonly openReader?: NonNullable<GenerationRequest['openReader']>;
}

export interface RequestContext {
  readonly model: ServedModel;
  /** 63 random bits, for requests without a seed. */
  readonly newSeed: () => bigint;
}

/** What the checks of single fields could not see: bounds that depend on the model and on each other. Fails with `invalid_argument`. */
export function toGenerationRequest(fields: GenerationFields, asked: Asked, { model, newSeed }: RequestContext): GenerationRequest {
  const stopTokenIds = fields.stop_token_ids ?? [];
  requireTokenIds(stopTokenIds, { vocabSize: model.spec.vocabSize, param: 'stop_token_ids' });
  const count = sequenceCount(asked);
  if (count > LIMITS.sequencesPerRequest) throw new AppError('invalid_argument', `prompts times n make ${count} answers and one request may ask for ${LIMITS.sequencesPerRequest}: split it`, { param: 'n' });
  return {
    ...asked,
    sampling: toSampling(fields, { model, newSeed }),
    minTokens: toMinTokens(fields.min_tokens ?? 0, asked.prompts),
    stop: typeof fields.stop === 'string' ? [fields.stop] : (fields.stop ?? []),
    stopTokenIds,
    ignoreEos: fields.ignore_eos ?? false,
    priority: fields.priority ?? 0,
  };
}

/** Fails with `not_found` for another model than the served one. */
export function requireModel(id: string, { id: served }: ServedModel): void {
  if (id !== served) throw new AppError('not_found', `the model '${id.slice(0, 100)}' does not exist here: use '${served}'`, { param: 'model' });
}

function toSampling(fields: GenerationFields, { model, newSeed }: RequestContext): SamplingParams {
  const logitBias = new Map(Object.entries(fields.logit_bias ?? {}).map(([id, bias]) => [Number(id), bias]));
  requireTokenIds(logitBias.keys(), { vocabSize: model.spec.vocabSize, param: 'logit_bias' });
  return {
    temperature: fields.temperature ?? 1,
    topP: fields.top_p ?? 1,
    topK: Math.max(0, Math.min(fields.top_k ?? 0, model.spec.vocabSize)),
    minP: fields.min_p ?? 0,
    presencePenalty: fields.presence_penalty ?? 0,
    frequencyPenalty: fields.frequency_penalty ?? 0,
    repetitionPenalty: fields.repetition_penalty ?? 1,
    logitBias,
    seed: fields.seed == null ? newSeed() : BigInt(fields.seed),
  };
}

function toMinTokens(minTokens: number, prompts: readonly Prompt[]): number {
  const least = Math.min(...prompts.map(({ maxTokens }) => maxTokens));
  if (minTokens > least) throw new AppError('invalid_argument', `min_tokens is ${minTokens} and at most ${least} tokens will come: lower it or raise max_tokens`, { param: 'min_tokens' });
  return minTokens;
}
