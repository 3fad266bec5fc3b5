import { type ClusterSnapshot, isServable, type Lease, type LeaseId, LIMITS, type ModelRef, type WorkerPeer, type WorkerRegistration, type WorkerReport } from '@essaim/core';
import { type Assignment, type PlacementPolicy } from '@essaim/placement';
import { byExpert } from './by-expert.ts';
import { type ClusterPlan } from './cluster-plan.ts';
import { type ClusterRecord } from './cluster-store.ts';
import { ExpertTarget } from './expert-target.ts';
import { HostedIndex } from './hosted-index.ts';
import { type LostMember, type Member } from './member.ts';
import { Membership, type StateChange } from './membership.ts';
import { rollOut } from './roll-out.ts';
import { sameData } from './same-data.ts';

export interface ClusterStateOptions {
  readonly record: ClusterRecord;
  readonly plan: ClusterPlan;
  readonly policy: PlacementPolicy;
  readonly newLeaseId: () => LeaseId;
  /** Monotonic; the grace for joining runs from here. */
  readonly startedAtMs: number;
}

/** What an input led to, for the log and for whoever must act on it. */
export type ClusterEvent =
  | ({ readonly kind: 'worker'; /** Why it was lost, where it said so itself. */ readonly failure?: string } & StateChange)
  | { readonly kind: 'placed'; /** See PlacementResult. */ readonly degraded: string | null }
  /** The cluster goes on as it is. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** A cluster that never served can't: it is to end with this sentence. */
  | { readonly kind: 'failed'; readonly reason: string };

/**
 * The control plane without clock, socket or disk. Inputs change it and say what they led to; `next` proposes the snapshot to publish, and
 * once its epoch is durable `commit` makes it the published one. Epochs rise by one exactly when what is published changes.
 *
 * Nothing is published before the first placement was tried, so that after a restart workers and gateways go on with the last snapshot
 * until the workers have joined again, instead of unloading everything.
 */
export class ClusterState {
  readonly #options: ClusterStateOptions;
  readonly #membership: Membership;
  readonly #target: ExpertTarget;
  /** A model whose experts are nowhere yet, which nobody can serve. */
  readonly #unplaced: Assignment;
  #published: ClusterSnapshot | null = null;
  #epoch: number;
  #started = false;
  /** The membership's revision and the target that are known to be published. */
  #settled: { readonly revision: number; readonly target: Assignment } | null = null;
  #served = false;

  constructor(options: ClusterStateOptions) {
    this.#options = options;
    this.#epoch = options.record.epoch;
    this.#membership = new Membership({ leaseTtlMs: LIMITS.leaseTtlMs, cardLeaseTtlMs: LIMITS.cardLeaseTtlMs, newLeaseId: options.newLeaseId });
    this.#target = new ExpertTarget(options.plan, options.policy);
    this.#unplaced = unplaced(options.plan);
  }

  /** What this cluster serves. */
  get model(): ModelRef {
    return this.#options.plan.model;
  }

  /** What readers know; null before the first commit. */
  get published(): ClusterSnapshot | null {
    return this.#published;
  }

  get members(): readonly Member[] {
    return this.#membership.members;
  }

  get lost(): readonly LostMember[] {
    return this.#membership.lost;
  }

  join(registration: WorkerRegistration, nowMs: number): Lease {
    return this.#membership.join(registration, nowMs);
  }

  /** Fails with `not_found` when the lease is gone. */
  report(report: WorkerReport, nowMs: number): readonly ClusterEvent[] {
    const change = this.#membership.report(report, nowMs);
    const events: ClusterEvent[] = change ? [{ kind: 'worker', ...change }] : [];
    if (report.failure === null) return events;
    if (!this.#served) return [...events, { kind: 'failed', reason: report.failure }];
    return [...events, { kind: 'worker', ...this.#membership.lose(report.leaseId, nowMs), failure: report.failure }];
  }

  /** Fails with `not_found` when the lease is gone. */
  leave(lease: LeaseId, nowMs: number): readonly ClusterEvent[] {
    return [{ kind: 'worker', ...this.#membership.leave(lease, nowMs) }];
  }

  /** Lets time pass: ends leases and places experts on the workers that are there now. */
  advance(nowMs: number): readonly ClusterEvent[] {
    const lost = this.#membership.expire(nowMs).map((change): ClusterEvent => ({ kind: 'worker', ...change }));
    return [...lost, ...this.#place(nowMs)];
  }

  /** The snapshot to publish; null while nothing changed. */
  next(): ClusterSnapshot | null {
    const { revision } = this.#membership;
    const target = this.#target.assignment ?? this.#unplaced;
    if (!this.#started || (revision === this.#settled?.revision && target === this.#settled.target)) return null;
    const { record: { clusterId }, plan: { model } } = this.#options;
    const members = this.members;
    const placement = rollOut({ target, published: this.#published?.placement ?? [], hosted: new HostedIndex(members) });
    const proposed = { clusterId, epoch: this.#epoch, model, workers: members.map(peerOf), placement };
    if (!sameData(proposed, this.#published)) return { ...proposed, epoch: this.#epoch + 1 };
    this.#settled = { revision, target };
    return null;
  }

  /** Makes a proposed snapshot the published one. */
  commit(snapshot: ClusterSnapshot): void {
    this.#published = snapshot;
    this.#epoch = snapshot.epoch;
    this.#served ||= isServable(snapshot);
  }

  #place(nowMs: number): readonly ClusterEvent[] {
    const { plan: { expectedWorkers, joinGraceMs }, startedAtMs } = this.#options;
    const complete = this.members.length >= expectedWorkers;
    this.#started ||= complete || nowMs - startedAtMs >= joinGraceMs;
    const result = this.#started ? this.#target.update(this.members) : null;
    if (result === null) return [];
    if (result.kind === 'placed') return [{ kind: 'placed', degraded: result.degraded }];
    return [{ kind: complete && this.#target.assignment === null ? 'failed' : 'refused', reason: result.reason }];
  }
}

const unplaced = (plan: ClusterPlan): Assignment => byExpert(plan, () => []);

const peerOf = ({ registration: { id, address, roles, device: { card } }, state }: Member): WorkerPeer => {
  const domain = card?.nvlinkDomain ?? null;
  return { id, address, state, roles, ...(domain !== null && { nvlinkDomain: domain }) };
};
