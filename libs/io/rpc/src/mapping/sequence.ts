import { type MessageInitShape } from '@bufbuild/protobuf';
import { type SamplingParams, type SequenceEvent, type SequenceRequest, AppError, requestId, sequenceId } from '@essaim/core';
import { type workerV1 } from '@essaim/contracts';
import { fromWireConstraint, toWireConstraint } from './constraint.ts';
import { required } from './fields.ts';
import { finishReason, fromWireLogprobs, fromWireStats, toWireLogprobs, toWireStats } from './generation.ts';
import { fromWireLogitBias, toWireLogitBias, toWireSeed } from './sampling.ts';

export const toWireSequenceRequest = (request: SequenceRequest): MessageInitShape<typeof workerV1.GenerateRequestSchema> => ({
  requestId: request.requestId,
  sequenceId: request.sequenceId,
  promptIds: [...request.promptIds],
  generatedIds: [...request.generatedIds],
  sampling: toWireSampling(request.sampling),
  maxTokens: request.maxTokens,
  minTokens: request.minTokens,
  stopTokenIds: [...request.stopTokenIds],
  ignoreEos: request.ignoreEos,
  ...(request.logprobs === null ? {} : { logprobs: request.logprobs }),
  ...(request.promptLogprobs === null ? {} : { promptLogprobs: request.promptLogprobs }),
  timeoutMs: request.timeoutMs,
  priority: request.priority,
  ...(request.constraint === undefined ? {} : { constraint: toWireConstraint(request.constraint) }),
});

export const fromWireSequenceRequest = (request: workerV1.GenerateRequest): SequenceRequest => ({
  requestId: requestId(request.requestId),
  sequenceId: sequenceId(request.sequenceId),
  promptIds: request.promptIds,
  generatedIds: request.generatedIds,
  sampling: fromWireSampling(required(request.sampling, 'sampling')),
  maxTokens: request.maxTokens,
  minTokens: request.minTokens,
  stopTokenIds: request.stopTokenIds,
  ignoreEos: request.ignoreEos,
  logprobs: request.logprobs ?? null,
  promptLogprobs: request.promptLogprobs ?? null,
  timeoutMs: request.timeoutMs,
  priority: request.priority,
  ...(request.constraint === undefined ? {} : { constraint: fromWireConstraint(request.constraint) }),
});

const toWireSampling = ({ logitBias, seed, ...numbers }: SamplingParams): MessageInitShape<typeof workerV1.SamplingSchema> => ({
  ...numbers, logitBias: toWireLogitBias(logitBias), seed: toWireSeed(seed),
});

const fromWireSampling = (sampling: workerV1.Sampling): SamplingParams => ({
  temperature: sampling.temperature,
  topP: sampling.topP,
  topK: sampling.topK,
  minP: sampling.minP,
  presencePenalty: sampling.presencePenalty,
  frequencyPenalty: sampling.frequencyPenalty,
  repetitionPenalty: sampling.repetitionPenalty,
  logitBias: fromWireLogitBias(sampling.logitBias),
  seed: sampling.seed,
});

export function toWireSequenceEvent(event: SequenceEvent): MessageInitShape<typeof workerV1.GenerateResponseSchema> {
  switch (event.kind) {
    case 'prompt':
      return { event: { case: 'prompt', value: { positions: event.logprobs.map((position) => (position === null ? {} : { logprobs: toWireLogprobs(position) })) } } };
    case 'token':
      return { event: { case: 'token', value: { id: event.id, ...(event.logprobs === null ? {} : { logprobs: toWireLogprobs(event.logprobs) }) } } };
    case 'done':
      return { event: { case: 'done', value: { finishReason: finishReason.toWire(event.finishReason), stats: toWireStats(event.stats) } } };
  }
}

export function fromWireSequenceEvent({ event }: workerV1.GenerateResponse): SequenceEvent {
  switch (event.case) {
    case 'prompt':
      return { kind: 'prompt', logprobs: event.value.positions.map(({ logprobs }) => (logprobs === undefined ? null : fromWireLogprobs(logprobs))) };
    case 'token':
      return { kind: 'token', id: event.value.id, logprobs: event.value.logprobs === undefined ? null : fromWireLogprobs(event.value.logprobs) };
    case 'done':
      return { kind: 'done', finishReason: finishReason.fromWire(event.value.finishReason), stats: fromWireStats(required(event.value.stats, 'stats')) };
    case undefined:
      throw new AppError('invalid_argument', 'an event of a sequence is unknown: the other side runs another version');
  }
}
