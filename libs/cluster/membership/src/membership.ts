import { AppError, type Lease, type LeaseId, type Numerics, type WorkerId, type WorkerRegistration, type WorkerReport, type WorkerState } from '@essaim/core';
import { type LostMember, type Member, stateAfter } from './member.ts';
import { sameData } from './same-data.ts';

export interface MembershipOptions {
  /** Of a worker on a processor. */
  readonly leaseTtlMs: number;
  /** And of one on a card. */
  readonly cardLeaseTtlMs: number;
  /** A new id each time. */
  readonly newLeaseId: () => LeaseId;
}

/** One step of a worker through its life, for the log. */
export interface StateChange {
  readonly worker: WorkerId;
  readonly from: WorkerState;
  readonly to: WorkerState | 'left';
}

/** Live workers of one cluster. */
const MEMBERS_MAX = 1024;
/** Lost workers stay listed so long, the latest so many. */
const LOST_KEPT_MS = 600_000;
const LOST_MAX = 16;

/**
 * Who is in the cluster: a state machine over leases. Each worker id has at most one lease, and a lease once gone never comes back.
 * Time is told with every input, and by `expire` several times per lease. After a longer pause it was this process that stood still:
 * the silence says nothing about the workers, so that no lease ends for it.
 */
export class Membership {
  readonly #options: MembershipOptions;
  readonly #members = new Map<LeaseId, Member>();
  #lost: readonly LostMember[] = [];
  #revision = 0;
  #toldMs: number | null = null;

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  /** Rises whenever the live workers, their states or what they host change. */
  get revision(): number {
    return this.#revision;
  }

  /** Live workers, ascending by id. */
  get members(): readonly Member[] {
    return [...this.#members.values()].sort((a, b) => (a.registration.id < b.registration.id ? -1 : 1));
  }

  /** Lost workers, the latest last; none that is back. */
  get lost(): readonly LostMember[] {
    return this.#lost;
  }

  /**
   * Grants a lease. A worker id that is here already is taken over: the newer process wins, the former lease is gone. Fails with
   * `failed_precondition` for a worker that computes otherwise than the others, whose answers would depend on who gives them.
   */
  join(registration: WorkerRegistration, nowMs: number): Lease {
    this.#tell(nowMs);
    const former = this.members.find((member) => member.registration.id === registration.id);
    const other = this.members.find((member) => member !== former && !sameData(member.registration.numerics, registration.numerics));
    if (other) throw new AppError('failed_precondition', unlike(registration, other.registration));
    if (former) this.#members.delete(former.leaseId);
    this.#revision += 1;
    if (this.#members.size >= MEMBERS_MAX) throw new AppError('resource_exhausted', `the cluster already has ${MEMBERS_MAX} workers: stop one before another joins`);
    this.#lost = this.#lost.filter((lost) => lost.registration.id !== registration.id);
    const lease: Lease = { id: this.#options.newLeaseId(), ttlMs: this.#ttlMs(registration) };
    this.#members.set(lease.id, { registration, leaseId: lease.id, expiresAtMs: nowMs + lease.ttlMs, state: 'joining', report: null });
    return lease;
  }

  /** Renews the lease. Null when the state stays. Fails with `not_found` when the lease is gone. */
  report(report: WorkerReport, nowMs: number): StateChange | null {
    const member = this.#live(report.leaseId, nowMs);
    const state = stateAfter(member, report);
    if (state !== member.state || !sameData(report.hosted, member.report?.hosted)) this.#revision += 1;
    this.#members.set(member.leaseId, { ...member, report, state, expiresAtMs: nowMs + this.#ttlMs(member.registration) });
    return state === member.state ? null : { worker: member.registration.id, from: member.state, to: state };
  }

  /** Gives the lease back. Fails with `not_found` when it is gone. */
  leave(lease: LeaseId, nowMs: number): StateChange {
    const { registration, state } = this.#live(lease, nowMs);
    this.#members.delete(lease);
    this.#revision += 1;
    return { worker: registration.id, from: state, to: 'left' };
  }

  /** Ends a lease before its time: its worker said that it can't serve. Fails with `not_found` when it is gone. */
  lose(lease: LeaseId, nowMs: number): StateChange {
    return this.#lose(this.#live(lease, nowMs), nowMs);
  }

  /** Ends every lease whose time has come and forgets workers that were lost long ago. */
  expire(nowMs: number): readonly StateChange[] {
    this.#tell(nowMs);
    this.#lost = this.#lost.filter(({ lostAtMs }) => nowMs - lostAtMs < LOST_KEPT_MS);
    return this.members.filter(({ expiresAtMs }) => expiresAtMs <= nowMs).map((member) => this.#lose(member, nowMs));
  }

  #lose(member: Member, nowMs: number): StateChange {
    this.#members.delete(member.leaseId);
    this.#revision += 1;
    this.#lost = [...this.#lost, { ...member, state: 'lost' as const, lostAtMs: nowMs }].slice(-LOST_MAX);
    return { worker: member.registration.id, from: member.state, to: 'lost' };
  }

  /** The live member under a lease. */
  #live(lease: LeaseId, nowMs: number): Member {
    this.#tell(nowMs);
    const member = this.#members.get(lease);
    if (!member || member.expiresAtMs <= nowMs) throw new AppError('not_found', 'this lease is gone, since it ran out or a newer process took its worker id: join again');
    return member;
  }

  #tell(nowMs: number): void {
    const pausedMs = nowMs - (this.#toldMs ?? nowMs);
    this.#toldMs = nowMs;
    if (pausedMs <= this.#options.leaseTtlMs / 2) return;
    for (const member of this.members) this.#members.set(member.leaseId, { ...member, expiresAtMs: nowMs + this.#ttlMs(member.registration) });
  }

  #ttlMs({ device }: WorkerRegistration): number {
    const { leaseTtlMs, cardLeaseTtlMs } = this.#options;
    return device.card === null ? leaseTtlMs : cardLeaseTtlMs;
  }
}

function unlike({ id, numerics }: WorkerRegistration, other: WorkerRegistration): string {
  const as = ({ kvDtype, computeDtype }: Numerics): string => `keeps keys and values as ${kvDtype} and multiplies in ${computeDtype}`;
  return `worker ${id} ${as(numerics)}, where ${other.id} ${as(other.numerics)}: start it with the same --kv-dtype and --compute-dtype (ESSAIM_KV_DTYPE, ESSAIM_COMPUTE_DTYPE)`;
}
