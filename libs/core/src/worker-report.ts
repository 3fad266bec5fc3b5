import { type ExpertKey, type WorkerRoles, type WorkerState } from './placement.ts';
import { type LeaseId, type WorkerId } from './ids.ts';

/** What a worker says of itself when it joins. */
export interface WorkerRegistration {
  readonly id: WorkerId;
  readonly pid: number;
  readonly hostname: string;
  /** host:port where leads and gateways reach it. */
  readonly address: string;
  readonly roles: WorkerRoles;
  readonly device: DeviceInfo;
}

export interface DeviceInfo {
  /** Execution provider, for example 'cpu'. */
  readonly kind: string;
  readonly name: string;
  readonly threads: number;
  /** Bytes that weights and KV may take on this worker. */
  readonly memoryBytes: number;
}

export interface LoadProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

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
  /** Set when loading failed for good: one sentence. */
  readonly failure: string | null;
}

export interface Lease {
  readonly id: LeaseId;
  readonly ttlMs: number;
}
