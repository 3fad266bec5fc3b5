import fc from 'fast-check';
import {
  type CardInfo, type ClusterSnapshot, COMPUTE_DTYPES, type ExpertKey, KV_DTYPES, leaseId, type PositionLogprobs, requestId, type SamplingParams, sequenceId, type SequenceEvent, type SequenceRequest,
  type SequenceStats, workerId, type WorkerRegistration, type WorkerReport, type WorkerRoles, type WorkerTimes,
} from '@essaim/core';
import { type InferenceEvent, type InferenceRequest } from '../src/index.ts';

// Any value that the wire must carry unchanged, up to the bounds of its fields.

const uint32 = fc.oneof(fc.integer({ min: 0, max: 0xffff_ffff }), fc.constantFrom(0, 0xffff_ffff));
const int32 = fc.integer();
const count = fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, Number.MAX_SAFE_INTEGER));
const number = fc.double({ noNaN: true }).filter((value) => !Object.is(value, -0));
const text = fc.string({ unit: 'grapheme' });
const bool = fc.boolean();
const orNull = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { nil: null });

const worker = text.map(workerId);
const roles: fc.Arbitrary<WorkerRoles> = fc.record({ lead: bool, expert: bool });
const expertKey: fc.Arbitrary<ExpertKey> = fc.record({ layer: uint32, expert: uint32 });
const seed = fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n });
const logitBias = fc.array(fc.tuple(uint32, number), { maxLength: 8 }).map((entries) => new Map(entries.toSorted(([a], [b]) => a - b)));

const needs = fc.record({ denseBytes: count, kvBytes: count, kvSlackBytes: count, stepBytes: count, expertBytes: count });
const numerics = fc.record({ kvDtype: fc.constantFrom(...KV_DTYPES), computeDtype: fc.constantFrom(...COMPUTE_DTYPES) });
const card: fc.Arbitrary<CardInfo> = fc.record({ index: uint32, pciBusId: orNull(text), nvlinkDomain: orNull(text), uploadBytesPerSecond: orNull(count) });

export const registration: fc.Arbitrary<WorkerRegistration> = fc.record({
  id: worker, pid: uint32, hostname: text, address: text, roles, device: fc.record({ kind: text, name: text, threads: uint32, memoryBytes: count, card: orNull(card) }), numerics, needs,
});

const times: fc.Arbitrary<WorkerTimes> = fc.record({
  lead: fc.record({ schedule: count, dense: count, dispatch: count, experts: count, serialise: count, remote: count, sample: count, idle: count }),
  expert: fc.record({ queue: count, compute: count, serialise: count }), steps: count,
  device: fc.record({ runs: count, answers: count, waited: count, uploadedBytes: count, downloadedBytes: count }),
});

export const report: fc.Arbitrary<WorkerReport> = fc.record({
  leaseId: text.map(leaseId), state: fc.constantFrom('joining' as const, 'loading' as const, 'ready' as const, 'draining' as const), epoch: count,
  hosted: fc.array(expertKey), leadReady: bool, progress: fc.record({ doneBytes: count, totalBytes: count }), residentBytes: count,
  runningSequences: uint32, waitingSequences: uint32, kvUsedBytes: count, kvBudgetBytes: count, failure: orNull(text), times,
});

export const snapshot: fc.Arbitrary<ClusterSnapshot> = fc.record({
  clusterId: text, epoch: count,
  model: fc.record({ id: text, directory: text, dtype: fc.constantFrom('float32' as const, 'int8' as const, 'int4' as const), deterministic: bool }),
  workers: fc.array(fc.record({ id: worker, address: text, state: fc.constantFrom('joining' as const, 'loading' as const, 'ready' as const, 'draining' as const, 'lost' as const), roles })),
  placement: fc.array(fc.array(fc.array(fc.record({ worker, state: fc.constantFrom('loading' as const, 'ready' as const) }), { maxLength: 3 }), { maxLength: 4 }), { maxLength: 4 }),
});

const samplingNumbers = { temperature: number, topP: number, topK: uint32, minP: number, presencePenalty: number, frequencyPenalty: number, repetitionPenalty: number };
const sampling: fc.Arbitrary<SamplingParams> = fc.record({ ...samplingNumbers, logitBias, seed });

export const sequenceRequest: fc.Arbitrary<SequenceRequest> = fc.record({
  requestId: text.map(requestId), sequenceId: text.map(sequenceId), promptIds: fc.array(uint32), generatedIds: fc.array(uint32), sampling, maxTokens: uint32,
  minTokens: uint32, stopTokenIds: fc.array(uint32), ignoreEos: bool, logprobs: orNull(uint32), promptLogprobs: orNull(uint32), priority: int32, timeoutMs: uint32,
});

const logprobs: fc.Arbitrary<PositionLogprobs> = fc.record({ logprob: number, top: fc.array(fc.record({ id: uint32, logprob: number }), { maxLength: 3 }) });
const stats: fc.Arbitrary<SequenceStats> = fc.record({
  lead: worker, workers: fc.array(worker), cachedPromptTokens: uint32, acceptedDraftTokens: uint32, rejectedDraftTokens: uint32, localExpertCalls: count, remoteExpertCalls: count, retriedExpertCalls: count, epoch: count,
});
const finishReason = fc.constantFrom('stop' as const, 'length' as const);

export const sequenceEvent: fc.Arbitrary<SequenceEvent> = fc.oneof(
  fc.record({ kind: fc.constant('prompt' as const), logprobs: fc.array(orNull(logprobs)) }),
  fc.record({ kind: fc.constant('token' as const), id: uint32, logprobs: orNull(logprobs) }),
  fc.record({ kind: fc.constant('done' as const), finishReason, stats }),
);

export const inferenceRequest: fc.Arbitrary<InferenceRequest> = fc.record({
  model: text,
  prompt: fc.oneof(fc.record({ kind: fc.constant('text' as const), text }), fc.record({ kind: fc.constant('tokens' as const), ids: fc.array(uint32) })),
  // An empty bias is no bias.
  sampling: fc.record({ ...samplingNumbers, logitBias: logitBias.filter((bias) => bias.size > 0), seed }, { requiredKeys: [] }),
  maxTokens: uint32, minTokens: uint32, stop: fc.array(text), stopTokenIds: fc.array(uint32), ignoreEos: bool, priority: int32, logprobs: orNull(uint32),
}, { requiredKeys: ['model', 'prompt', 'sampling', 'minTokens', 'stop', 'stopTokenIds', 'ignoreEos', 'logprobs'] });

export const inferenceEvent: fc.Arbitrary<InferenceEvent> = fc.oneof(
  fc.record({ kind: fc.constant('delta' as const), text, tokenIds: fc.array(uint32), logprobs: fc.array(logprobs) }),
  fc.record({ kind: fc.constant('done' as const), finishReason, promptTokens: uint32, completionTokens: uint32, stats }),
);
