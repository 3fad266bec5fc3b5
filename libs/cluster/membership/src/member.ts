import { type LeaseId, type WorkerRegistration, type WorkerReport, type WorkerState } from '@essaim/core';

/** A worker with what it said of itself. */
export interface Member {
  readonly registration: WorkerRegistration;
  readonly leaseId: LeaseId;
  /** Monotonic. The lease is gone from this moment on. */
  readonly expiresAtMs: number;
  readonly state: WorkerState;
  /** The latest one; null before the first. */
  readonly report: WorkerReport | null;
}

/** A lost worker, listed for a while so that people see what happened. */
export interface LostMember extends Member {
  readonly state: 'lost';
  readonly lostAtMs: number;
}

/** States only move forward, so that a worker which loads more experts does not stop leading meanwhile. */
const ORDER: readonly WorkerState[] = ['joining', 'loading', 'ready', 'draining', 'lost'];

/** The state after a report. A worker that is to lead is not ready before its dense part is. */
export function stateAfter({ state, registration }: Member, report: WorkerReport): WorkerState {
  const reported = report.state === 'ready' && registration.roles.lead && !report.leadReady ? 'loading' : report.state;
  return ORDER.indexOf(reported) > ORDER.indexOf(state) ? reported : state;
}
