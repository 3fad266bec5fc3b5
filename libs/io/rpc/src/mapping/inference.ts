import { type MessageInitShape } from '@bufbuild/protobuf';
import { AppError } from '@essaim/core';
import { type inferenceV1 } from '@essaim/contracts';
import { type InferenceConstraint, type InferenceEvent, type InferenceModel, type InferenceRequest } from '../services.ts';
import { required } from './fields.ts';
import { finishReason, fromWireLogprobs, fromWireStats, toWireLogprobs, toWireStats } from './generation.ts';
import { fromWireLogitBias, toWireLogitBias, toWireSeed } from './sampling.ts';

type Sampling = InferenceRequest['sampling'];

export const toWireInferenceRequest = (request: InferenceRequest): MessageInitShape<typeof inferenceV1.GenerateRequestSchema> => ({
  model: request.model,
  prompt: request.prompt.kind === 'text' ? { case: 'text', value: request.prompt.text } : { case: 'tokens', value: { ids: [...request.prompt.ids] } },
  sampling: toWireSampling(request.sampling),
  ...(request.maxTokens === undefined ? {} : { maxTokens: request.maxTokens }),
  minTokens: request.minTokens,
  stop: [...request.stop],
  stopTokenIds: [...request.stopTokenIds],
  ignoreEos: request.ignoreEos,
  ...(request.priority === undefined ? {} : { priority: request.priority }),
  ...(request.logprobs === null ? {} : { logprobs: request.logprobs }),
  ...(request.constraint === undefined ? {} : { constraint: toWireConstraint(request.constraint) }),
});

export const fromWireInferenceRequest = (request: inferenceV1.GenerateRequest): InferenceRequest => ({
  model: request.model,
  prompt: fromWirePrompt(request.prompt),
  sampling: request.sampling === undefined ? {} : fromWireSampling(request.sampling),
  ...(request.maxTokens === undefined ? {} : { maxTokens: request.maxTokens }),
  minTokens: request.minTokens,
  stop: request.stop,
  stopTokenIds: request.stopTokenIds,
  ignoreEos: request.ignoreEos,
  ...(request.priority === undefined ? {} : { priority: request.priority }),
  logprobs: request.logprobs ?? null,
  ...fromWireConstraint(request.constraint),
});

type WireConstraint = inferenceV1.GenerateRequest['constraint'];

function toWireConstraint(constraint: InferenceConstraint): Exclude<MessageInitShape<typeof inferenceV1.GenerateRequestSchema>['constraint'], undefined> {
  switch (constraint.kind) {
    case 'json object':
      return { case: 'jsonObject', value: {} };
    case 'json schema':
      return { case: 'jsonSchema', value: constraint.schema };
    case 'regex':
      return { case: 'regex', value: constraint.pattern };
    case 'grammar':
      return { case: 'grammar', value: constraint.ebnf };
  }
}

function fromWireConstraint(constraint: WireConstraint): Pick<InferenceRequest, 'constraint'> {
  switch (constraint.case) {
    case 'jsonObject':
      return { constraint: { kind: 'json object' } };
    case 'jsonSchema':
      return { constraint: { kind: 'json schema', schema: constraint.value } };
    case 'regex':
      return { constraint: { kind: 'regex', pattern: constraint.value } };
    case 'grammar':
      return { constraint: { kind: 'grammar', ebnf: constraint.value } };
    case undefined:
      return {};
  }
}

function fromWirePrompt(prompt: inferenceV1.GenerateRequest['prompt']): InferenceRequest['prompt'] {
  switch (prompt.case) {
    case 'text':
      return { kind: 'text', text: prompt.value };
    case 'tokens':
      return { kind: 'tokens', ids: prompt.value.ids };
    case undefined:
      throw new AppError('invalid_argument', 'a prompt is missing: give text or tokens', { param: 'prompt' });
  }
}

function toWireSampling({ logitBias, seed, ...numbers }: Sampling): MessageInitShape<typeof inferenceV1.SamplingSchema> {
  return { ...numbers, logitBias: toWireLogitBias(logitBias ?? new Map()), ...(seed === undefined ? {} : { seed: toWireSeed(seed) }) };
}

function fromWireSampling({ logitBias, ...sampling }: inferenceV1.Sampling): Sampling {
  const { temperature, topP, topK, minP, presencePenalty, frequencyPenalty, repetitionPenalty, seed } = sampling;
  const bias = fromWireLogitBias(logitBias);
  const given = { temperature, topP, topK, minP, presencePenalty, frequencyPenalty, repetitionPenalty, seed, logitBias: bias.size > 0 ? bias : undefined };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Sampling;
}

export function toWireInferenceEvent(event: InferenceEvent): MessageInitShape<typeof inferenceV1.GenerateResponseSchema> {
  switch (event.kind) {
    case 'delta':
      return { event: { case: 'delta', value: { text: event.text, tokenIds: [...event.tokenIds], logprobs: event.logprobs.map(toWireLogprobs) } } };
    case 'done': {
      const { promptTokens, completionTokens } = event;
      return { event: { case: 'done', value: { finishReason: finishReason.toWire(event.finishReason), promptTokens, completionTokens, stats: toWireStats(event.stats) } } };
    }
  }
}

export function fromWireInferenceEvent({ event }: inferenceV1.GenerateResponse): InferenceEvent {
  switch (event.case) {
    case 'delta':
      return { kind: 'delta', text: event.value.text, tokenIds: event.value.tokenIds, logprobs: event.value.logprobs.map(fromWireLogprobs) };
    case 'done': {
      const { promptTokens, completionTokens, stats } = event.value;
      return { kind: 'done', finishReason: finishReason.fromWire(event.value.finishReason), promptTokens, completionTokens, stats: fromWireStats(required(stats, 'stats')) };
    }
    case undefined:
      throw new AppError('invalid_argument', 'an event of an answer is unknown: the gateway runs another version');
  }
}

export const toWireModels = (models: readonly InferenceModel[]): MessageInitShape<typeof inferenceV1.ListModelsResponseSchema> => ({ models: [...models] });

export const fromWireModels = ({ models }: inferenceV1.ListModelsResponse): InferenceModel[] => models.map(({ id, contextLength }) => ({ id, contextLength }));
