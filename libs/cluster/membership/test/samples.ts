import { type ExpertKey, leaseId, type LeaseId, type MemoryNeeds, NO_TIMES, workerId, type WorkerRegistration, type WorkerReport } from '@essaim/core';
import { type ClusterPlan } from '../src/index.ts';

const GIB = 1 << 30;

/** Of a worker that has room for so many experts. */
export const needsFor = (room: number): MemoryNeeds => ({ denseBytes: GIB / 4, kvBytes: GIB / 8, kvSlackBytes: 0, stepBytes: GIB / 8, expertBytes: Math.floor(GIB / 2 / (room + 0.5)) });

export const registration = (id: string, changes: Partial<WorkerRegistration> = {}): WorkerRegistration => ({
  id: workerId(id), pid: 7, hostname: 'host', address: `127.0.0.1:${9000 + Number(id.slice(1))}`, roles: { lead: true, expert: true },
  device: { kind: 'cpu', name: 'a processor', threads: 2, memoryBytes: GIB, card: null },
  numerics: { kvDtype: 'f32', computeDtype: 'f32' }, needs: needsFor(99), ...changes,
});

export const report = (lease: LeaseId, changes: Partial<WorkerReport> = {}): WorkerReport => ({
  leaseId: lease, state: 'ready', epoch: 1, hosted: [], leadReady: true, progress: { doneBytes: 0, totalBytes: 0 }, residentBytes: 0,
  runningSequences: 0, waitingSequences: 0, kvUsedBytes: 0, kvBudgetBytes: GIB, times: NO_TIMES, failure: null, ...changes,
});

/** Two layers of four experts on two workers, one copy each. */
export const PLAN: ClusterPlan = {
  model: { id: 'm', directory: '/models/m', dtype: 'float32', deterministic: false },
  layerCount: 2, denseLayerCount: 0, expertCount: 4, replicas: 1, expectedWorkers: 2, joinGraceMs: 20_000,
};

export const ALL_EXPERTS: readonly ExpertKey[] = [0, 1].flatMap((layer) => [0, 1, 2, 3].map((expert) => ({ layer, expert })));

/** Lease ids l1, l2, ... */
export function countedLeases(): () => LeaseId {
  let count = 0;
  return () => leaseId(`l${++count}`);
}
