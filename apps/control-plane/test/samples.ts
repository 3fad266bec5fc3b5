import { createClusterAuthority, issueCertificate, type ClusterRole, type IssuedCertificate } from '@essaim/auth';
import { leaseId, type LeaseId, type ModelRef, type ModelSpec, PLAIN_ROUTING, workerId, type WorkerRegistration, type WorkerReport, type WorkerTimes } from '@essaim/core';
import { ClusterState, type ClusterStore, planCluster } from '@essaim/membership';
import { placeExperts } from '@essaim/placement';

export const MODEL: ModelRef = { id: 'm', directory: '/models/m', dtype: 'float32', deterministic: false };

export const SPEC: ModelSpec = {
  family: 'mixtral', vocabSize: 16, hiddenSize: 8, layerCount: 2, contextLength: 64,
  attention: { kind: 'gqa', headCount: 2, kvHeadCount: 1, headSize: 4, slidingWindow: null }, rope: { kind: 'default', theta: 10_000 }, queryScaling: null,
  feedForward: { kind: 'moe', size: 16, expertCount: 4, expertsPerToken: 2, ...PLAIN_ROUTING }, normEpsilon: 1e-5, tiedEmbedding: false, bosTokenId: 1, eosTokenIds: [2],
};

export const registration = (id: string): WorkerRegistration => ({
  id: workerId(id), pid: 7, hostname: 'host', address: '127.0.0.1:9001', roles: { lead: true, expert: true },
  device: { kind: 'cpu', name: 'a processor', threads: 2, memoryBytes: 1 << 30, card: null },
  numerics: { kvDtype: 'f32', computeDtype: 'f32' }, needs: { denseBytes: 1 << 20, kvBytes: 1 << 28, kvSlackBytes: 0, stepBytes: 1 << 20, expertBytes: 1 << 20 },
});

export const TIMES: WorkerTimes = {
  lead: { schedule: 1, dense: 2, dispatch: 3, experts: 4, serialise: 5, remote: 6, sample: 7, idle: 8_000_000 }, expert: { queue: 9, compute: 1_500_000, serialise: 11 }, device: { runs: 13, answers: 14, waited: 15, uploadedBytes: 16, downloadedBytes: 17 }, steps: 12,
};

export const report = (lease: LeaseId, changes: Partial<WorkerReport> = {}): WorkerReport => ({
  leaseId: lease, state: 'ready', epoch: 1, hosted: [], leadReady: true, progress: { doneBytes: 5, totalBytes: 5 }, residentBytes: 100,
  runningSequences: 1, waitingSequences: 2, kvUsedBytes: 3, kvBudgetBytes: 4, times: TIMES, failure: null, ...changes,
});

/** A cluster of two expected workers, from time zero. */
export async function openState(store: ClusterStore, expectedWorkers = 2): Promise<ClusterState> {
  let count = 0;
  return new ClusterState({
    record: await store.open('test-cluster'), plan: planCluster({ model: MODEL, spec: SPEC, replicas: 1, expectedWorkers, joinGraceMs: 20_000 }),
    policy: placeExperts, newLeaseId: () => leaseId(`l${++count}`), startedAtMs: 0,
  });
}

/** A certificate for each role that one new authority vouches for. */
export async function issueTestCertificates(): Promise<Record<ClusterRole, IssuedCertificate>> {
  const now = new Date();
  const authority = await createClusterAuthority({ now });
  const issue = (role: ClusterRole): Promise<IssuedCertificate> => issueCertificate(authority, { role, name: `${role}-1`, now });
  return { 'control-plane': await issue('control-plane'), gateway: await issue('gateway'), worker: await issue('worker') };
}
