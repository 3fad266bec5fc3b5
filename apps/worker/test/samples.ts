import { type ClusterSnapshot, type ExpertKey, NO_TIMES, type WorkerId, workerId, type WorkerPeer, type WorkerRegistration, type WorkerReport } from '@essaim/core';

export const SELF = workerId('w1');
export const OTHER = workerId('w2');
/** A signal that never aborts. */
export const NEVER = new AbortController().signal;

export const REGISTRATION: WorkerRegistration = {
  id: SELF, pid: 1, hostname: 'node-1', address: '127.0.0.1:8090', roles: { lead: true, expert: true }, device: { kind: 'cpu', name: 'a processor', threads: 1, memoryBytes: 2 ** 30, card: null },
  numerics: { kvDtype: 'f32', computeDtype: 'f32' }, needs: { denseBytes: 1, kvBytes: 2, kvSlackBytes: 0, stepBytes: 3, expertBytes: 4 },
};

export const DESCRIPTION: Omit<WorkerReport, 'leaseId'> = {
  state: 'joining', epoch: 0, hosted: [], leadReady: false, progress: { doneBytes: 0, totalBytes: 0 }, residentBytes: 1, runningSequences: 0, waitingSequences: 0,
  kvUsedBytes: 0, kvBudgetBytes: 0, times: NO_TIMES, failure: null,
};

export const peer = (id: WorkerId, overrides: Partial<WorkerPeer> = {}): WorkerPeer => ({ id, address: '127.0.0.1:1', state: 'ready', roles: { lead: true, expert: true }, ...overrides });

export const snapshot = (epoch: number, overrides: Partial<ClusterSnapshot> = {}): ClusterSnapshot => ({
  clusterId: 'c1', epoch, model: { id: 'petit', directory: '/models/petit', dtype: 'float32', deterministic: false }, workers: [peer(SELF)], placement: [], ...overrides,
});

/** A placement of `layers` times `experts` in which a worker hosts these and another one the rest. */
export const hosting = (keys: readonly ExpertKey[], { layers, experts }: { readonly layers: number; readonly experts: number }): ClusterSnapshot['placement'] =>
  Array.from({ length: layers }, (_, layer) =>
    Array.from({ length: experts }, (_, expert) => [{ worker: keys.some((key) => key.layer === layer && key.expert === expert) ? SELF : OTHER, state: 'ready' as const }]));
