import { type ComputeDtype } from './compute-dtype.ts';
import { type KvDtype } from './kv-dtype.ts';
import { type MemoryNeeds } from './memory-needs.ts';
import { type ExpertKey, type WorkerRoles, type WorkerState } from './placement.ts';
import { type LeaseId, type WorkerId } from './ids.ts';
import { type Microseconds } from './phase-times.ts';

/** What a worker says of itself when it joins, once it knows what the cluster serves. */
export interface WorkerRegistration {
  readonly id: WorkerId;
  readonly pid: number;
  readonly hostname: string;
  /** host:port where leads and gateways reach it. */
  readonly address: string;
  readonly roles: WorkerRoles;
  readonly device: DeviceInfo;
  readonly numerics: Numerics;
  readonly needs: MemoryNeeds;
}

/** In what a worker computes. All workers of a cluster do alike, so that an answer does not depend on which of them give it. */
export interface Numerics {
  readonly kvDtype: KvDtype;
  readonly computeDtype: ComputeDtype;
}

export interface DeviceInfo {
  /** What drives it: 'cpu', 'webgpu', 'cuda', 'tensorrt'. */
  readonly kind: string;
  readonly name: string;
  readonly threads: number;
  /** Bytes that all its `MemoryNeeds` and its experts may take together. */
  readonly memoryBytes: number;
  /** Null for a processor. */
  readonly card: CardInfo | null;
}

/** Where a card is among others. */
export interface CardInfo {
  /** Among the devices of its host that the same provider drives. */
  readonly index: number;
  /** domain:bus:device.function. Null where its driver does not tell. */
  readonly pciBusId: string | null;
  /** The same for all cards of the cluster that NVLink joins. Null without NVLink. */
  readonly nvlinkDomain: string | null;
  /** Bytes per second from the host's memory to its own, measured when the worker started. Null where it was not. */
  readonly uploadBytesPerSecond: number | null;
}

export interface LoadProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/**
 * What a leading worker does, one at a time:
 * - schedule: choosing what the next step computes
 * - dense: everything but the routed experts, with the wait for the device while it runs experts for others
 * - dispatch: grouping rows by worker, and summing what came back
 * - experts: its own experts run, whatever else is under way, or wait for those that run for others
 * - serialise: its calls become bytes, and the answers activations
 * - remote: its own experts are done, if it had any; answers of others are still missing
 * - sample: choosing tokens and handing them out
 * - idle: no sequence to lead
 */
export const LEAD_PHASES = ['schedule', 'dense', 'dispatch', 'experts', 'serialise', 'remote', 'sample', 'idle'] as const;
export type LeadPhase = (typeof LEAD_PHASES)[number];

/**
 * What becomes of calls to a worker's experts, its own included, some of them side by side:
 * - queue: from coming to running, of each call
 * - compute: running, of calls that run together once
 * - serialise: bytes of other leads become activations, and answers bytes
 */
export const EXPERT_PHASES = ['queue', 'compute', 'serialise'] as const;
export type ExpertPhase = (typeof EXPERT_PHASES)[number];

/**
 * What a worker asks of its card; of a processor nothing is counted:
 * - runs: of graphs
 * - answers: runs of which something comes to the host, so that the thread waits for whatever was asked for before, too
 * - waited: microseconds in these, from asking to the answer
 * - uploadedBytes, downloadedBytes: what runs are fed from the host's memory, and what comes back to it; weights are not among them
 */
export const DEVICE_COUNTS = ['runs', 'answers', 'waited', 'uploadedBytes', 'downloadedBytes'] as const;
export type DeviceUse = Readonly<Record<(typeof DEVICE_COUNTS)[number], number>>;

export const NO_DEVICE_USE: DeviceUse = { runs: 0, answers: 0, waited: 0, uploadedBytes: 0, downloadedBytes: 0 };

/** How a worker's time went since its process began. */
export interface WorkerTimes {
  /** They add up to the time that passed. */
  readonly lead: Microseconds<LeadPhase>;
  readonly expert: Microseconds<ExpertPhase>;
  readonly device: DeviceUse;
  /** That it led. */
  readonly steps: number;
}

/** Of a worker that never told. */
export const NO_TIMES: WorkerTimes = {
  lead: { schedule: 0, dense: 0, dispatch: 0, experts: 0, serialise: 0, remote: 0, sample: 0, idle: 0 }, expert: { queue: 0, compute: 0, serialise: 0 }, device: NO_DEVICE_USE, steps: 0,
};

/** What a worker says three times per lease. Level, not edge: the whole truth each time. */
export interface WorkerReport {
  readonly leaseId: LeaseId;
  readonly state: Extract<WorkerState, 'joining' | 'loading' | 'ready' | 'draining'>;
  /** Highest snapshot epoch it has applied. */
  readonly epoch: number;
  /** Experts loaded and able to serve now. */
  readonly hosted: readonly ExpertKey[];
  /** True when the dense part is loaded, so that it can lead. */
  readonly leadReady: boolean;
  readonly progress: LoadProgress;
  readonly residentBytes: number;
  readonly runningSequences: number;
  readonly waitingSequences: number;
  readonly kvUsedBytes: number;
  readonly kvBudgetBytes: number;
  readonly times: WorkerTimes;
  /** Set when loading failed for good: one sentence. */
  readonly failure: string | null;
}

export interface Lease {
  readonly id: LeaseId;
  readonly ttlMs: number;
}
