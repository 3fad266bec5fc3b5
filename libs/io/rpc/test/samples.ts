import {
  type ClusterSnapshot, GREEDY, leaseId, type PositionLogprobs, requestId, sequenceId, type SequenceEvent, type SequenceRequest, type SequenceStats,
  workerId, type WorkerRegistration, type WorkerReport,
} from '@essaim/core';
import { type ExpertBatch } from '@essaim/dispatch';
import { type InferenceRequest } from '../src/index.ts';

export const REGISTRATION: WorkerRegistration = {
  id: workerId('w1'), pid: 4711, hostname: 'node-1', address: '127.0.0.1:8090', roles: { lead: true, expert: true },
  device: { kind: 'cpu', name: 'a processor', threads: 2, memoryBytes: 8 * 2 ** 30, card: null },
  numerics: { kvDtype: 'bf16', computeDtype: 'f32' }, needs: { denseBytes: 1, kvBytes: 2, kvSlackBytes: 3, stepBytes: 4, expertBytes: 5 },
};

export const REPORT: WorkerReport = {
  leaseId: leaseId('lease-1'), state: 'loading', epoch: 3, hosted: [{ layer: 0, expert: 1 }], leadReady: false,
  progress: { doneBytes: 5, totalBytes: 10 }, residentBytes: 7, runningSequences: 1, waitingSequences: 2, kvUsedBytes: 3, kvBudgetBytes: 4, failure: null,
  times: { lead: { schedule: 1, dense: 2, dispatch: 3, experts: 4, serialise: 5, remote: 6, sample: 7, idle: 8 }, expert: { queue: 9, compute: 10, serialise: 11 }, device: { runs: 13, answers: 14, waited: 15, uploadedBytes: 16, downloadedBytes: 17 }, steps: 12 },
};

export const snapshot = (epoch: number): ClusterSnapshot => ({
  clusterId: 'c1', epoch,
  model: { id: 'petit', directory: '/models/petit', dtype: 'int8', deterministic: true },
  workers: [{ id: workerId('w1'), address: '127.0.0.1:8090', state: 'ready', roles: { lead: true, expert: true } }, { id: workerId('w2'), address: '127.0.0.1:8091', state: 'loading', roles: { lead: false, expert: true }, nvlinkDomain: 'node-1/0000:18:00.0' }],
  placement: [[[{ worker: workerId('w1'), state: 'ready' }], []]],
});

export const SEQUENCE_REQUEST: SequenceRequest = {
  requestId: requestId('r1'), sequenceId: sequenceId('s1'), promptIds: [1, 2, 3], generatedIds: [], sampling: GREEDY, maxTokens: 8, minTokens: 0,
  stopTokenIds: [2], ignoreEos: false, logprobs: 2, promptLogprobs: 0, priority: 0, timeoutMs: 20_000,
};

const LOGPROBS: PositionLogprobs = { logprob: -0.5, top: [{ id: 7, logprob: -0.5 }, { id: 8, logprob: -1.25 }] };

export const STATS: SequenceStats = {
  lead: workerId('w1'), workers: [workerId('w1'), workerId('w2')], cachedPromptTokens: 2, acceptedDraftTokens: 4, rejectedDraftTokens: 1, localExpertCalls: 3, remoteExpertCalls: 5, retriedExpertCalls: 0, epoch: 3,
};

export const EVENTS: readonly SequenceEvent[] = [
  { kind: 'prompt', logprobs: [null, LOGPROBS] },
  { kind: 'token', id: 7, logprobs: LOGPROBS },
  { kind: 'token', id: 8, logprobs: null },
  { kind: 'done', finishReason: 'length', stats: STATS },
];

/** A batch of one expert per row; row r holds r. */
export function batch(rows: number, hiddenSize: number): ExpertBatch {
  const activations = new Float32Array(rows * hiddenSize);
  for (let row = 0; row < rows; row++) activations.fill(row, row * hiddenSize, (row + 1) * hiddenSize);
  return {
    step: 1, layer: 2, attempt: 0, epoch: 3, hiddenSize, activations,
    rowOffsets: Uint32Array.from({ length: rows + 1 }, (_, row) => row),
    experts: Uint32Array.from({ length: rows }, (_, row) => row % 4),
    gates: new Float32Array(rows).fill(0.5),
    reduce: true,
  };
}

export const INFERENCE_REQUEST: InferenceRequest = {
  model: 'petit', prompt: { kind: 'text', text: 'Il était une fois' }, sampling: { temperature: 0 }, maxTokens: 8, minTokens: 0, stop: ['\n'],
  stopTokenIds: [], ignoreEos: false, logprobs: null,
};
