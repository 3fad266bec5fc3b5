import { type MessageInitShape } from '@bufbuild/protobuf';
import { type FinishReason, type PositionLogprobs, type SequenceStats, workerId } from '@essaim/core';
import { generationV1 } from '@essaim/contracts';
import { type EnumMap, enumMap, toNumber } from './fields.ts';

export const finishReason: EnumMap<FinishReason, generationV1.FinishReason> = enumMap(generationV1.FinishReason, 'finish reason');

export const toWireLogprobs = ({ logprob, top }: PositionLogprobs): MessageInitShape<typeof generationV1.PositionLogprobsSchema> => ({ logprob, top: [...top] });

export const fromWireLogprobs = ({ logprob, top }: generationV1.PositionLogprobs): PositionLogprobs => ({
  logprob,
  top: top.map((token) => ({ id: token.id, logprob: token.logprob })),
});

export const toWireStats = (stats: SequenceStats): MessageInitShape<typeof generationV1.GenerationStatsSchema> => ({
  lead: stats.lead,
  workers: [...stats.workers],
  cachedPromptTokens: stats.cachedPromptTokens,
  acceptedDraftTokens: stats.acceptedDraftTokens,
  rejectedDraftTokens: stats.rejectedDraftTokens,
  localExpertCalls: BigInt(stats.localExpertCalls),
  remoteExpertCalls: BigInt(stats.remoteExpertCalls),
  retriedExpertCalls: BigInt(stats.retriedExpertCalls),
  epoch: BigInt(stats.epoch),
});

export const fromWireStats = (stats: generationV1.GenerationStats): SequenceStats => ({
  lead: workerId(stats.lead),
  workers: stats.workers.map(workerId),
  cachedPromptTokens: stats.cachedPromptTokens,
  acceptedDraftTokens: stats.acceptedDraftTokens,
  rejectedDraftTokens: stats.rejectedDraftTokens,
  localExpertCalls: toNumber(stats.localExpertCalls, 'local_expert_calls'),
  remoteExpertCalls: toNumber(stats.remoteExpertCalls, 'remote_expert_calls'),
  retriedExpertCalls: toNumber(stats.retriedExpertCalls, 'retried_expert_calls'),
  epoch: toNumber(stats.epoch, 'epoch'),
});
