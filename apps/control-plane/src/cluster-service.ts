import { AppError, type Clock, type ClusterSnapshot, isServable, type Lease, type LeaseId, LIMITS, type ModelRef, unreachable, type WorkerRegistration, type WorkerReport } from '@essaim/core';
import { type ClusterEvent, type ClusterState, type ClusterStore, type LostMember, type Member } from '@essaim/membership';
import { type ControlPlaneApi } from '@essaim/rpc';
import { type Logger } from '@essaim/telemetry';
import { Feed } from './feed.ts';

/** How often time is told: a lost worker is noticed this much after its lease at most. */
const TICK_MS = LIMITS.leaseTtlMs / 30;
/**
 * Between two epochs. Each new one makes leads call experts again that are under way, so many small changes, as while experts load, become
 * few. The first after a quiet time goes out at once, and so does the one that lets the cluster serve.
 */
const EPOCH_MS = LIMITS.leaseTtlMs / 30;

export interface ClusterServiceOptions {
  readonly state: ClusterState;
  readonly store: ClusterStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The cluster as the admin API reads it. */
export interface ClusterView {
  readonly members: readonly Member[];
  readonly lost: readonly LostMember[];
  /** Null before the first placement. */
  readonly published: ClusterSnapshot | null;
  /** Why nothing new can be published now; null while all is well. */
  readonly problem: AppError | null;
}

/** Runs the pure state: decide, make the epoch durable, commit, tell the readers. What can't be made durable is not published. */
export class ClusterService implements ControlPlaneApi, ClusterView {
  readonly #state: ClusterState;
  readonly #store: ClusterStore;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #feed = new Feed<ClusterSnapshot>();
  /** Aborts with the error that this cluster can't live with. */
  readonly #broken = new AbortController();
  #publishing = false;
  /** Whether what is published can answer. */
  #serves = false;
  #publishedMs = -Infinity;
  #problem: AppError | null = null;

  constructor({ state, store, clock, logger }: ClusterServiceOptions) {
    this.#state = state;
    this.#store = store;
    this.#clock = clock;
    this.#logger = logger;
  }

  get members(): readonly Member[] {
    return this.#state.members;
  }

  get lost(): readonly LostMember[] {
    return this.#state.lost;
  }

  get published(): ClusterSnapshot | null {
    return this.#state.published;
  }

  get problem(): AppError | null {
    return this.#problem;
  }

  async model(): Promise<ModelRef> {
    return this.#state.model;
  }

  async join(registration: WorkerRegistration): Promise<Lease> {
    const lease = this.#state.join(registration, this.#clock.nowMs());
    const { id, pid, address, roles } = registration;
    this.#logger.info({ worker: id, pid, address, roles }, 'worker joined');
    this.#advance();
    return lease;
  }

  async report(report: WorkerReport): Promise<void> {
    this.#handle(this.#state.report(report, this.#clock.nowMs()));
    this.#advance();
  }

  async leave(lease: LeaseId): Promise<void> {
    this.#handle(this.#state.leave(lease, this.#clock.nowMs()));
    this.#advance();
  }

  watch(signal: AbortSignal): AsyncIterable<ClusterSnapshot> {
    return this.#feed.follow(signal);
  }

  /** Lets time pass until told to stop. Rejects with the sentence that this cluster ends with when it can't go on. */
  async run(stop: AbortSignal): Promise<void> {
    const over = AbortSignal.any([stop, this.#broken.signal]);
    while (!over.aborted) {
      this.#advance();
      await this.#clock.sleep(TICK_MS, over).catch(() => undefined);
    }
    this.#broken.signal.throwIfAborted();
  }

  #advance(): void {
    this.#handle(this.#state.advance(this.#clock.nowMs()));
    void this.#publish();
  }

  /** What is new, unless something was published just now: then the next tick does it. */
  async #publish(): Promise<void> {
    const isSoon = this.#clock.nowMs() - this.#publishedMs < EPOCH_MS;
    if (this.#publishing || (isSoon && this.#serves)) return;
    this.#publishing = true;
    try {
      const next = this.#state.next();
      if (next !== null && isSoon && !isServable(next)) return;
      if (next !== null) await this.#commit(next);
      this.#problem = null;
    } catch (thrown) {
      this.#notPublished(AppError.from(thrown));
    } finally {
      this.#publishing = false;
    }
  }

  async #commit(next: ClusterSnapshot): Promise<void> {
    await this.#store.commitEpoch(next.epoch);
    this.#publishedMs = this.#clock.nowMs();
    this.#serves = isServable(next);
    this.#state.commit(next);
    this.#feed.publish(next);
    this.#logger.info({ epoch: next.epoch, workers: next.workers.length }, 'published');
  }

  /** A store that is away for a moment is tried again with the next tick; one that belongs to somebody else, or a bug, ends this process. */
  #notPublished(error: AppError): void {
    if (error.code !== 'unavailable') this.#broken.abort(error);
    else if (this.#problem === null) this.#logger.error({ error }, 'nothing new is published until the store works again');
    this.#problem = error;
  }

  #handle(events: readonly ClusterEvent[]): void {
    for (const event of events) {
      switch (event.kind) {
        case 'worker':
          this.#logger.info({ worker: event.worker, from: event.from, to: event.to, failure: event.failure }, 'worker changed');
          break;
        case 'placed':
          this.#logger[event.degraded === null ? 'info' : 'warn']({ degraded: event.degraded }, 'experts placed');
          break;
        case 'refused':
          this.#logger.warn({ reason: event.reason }, 'no new placement: the cluster goes on as it is');
          break;
        case 'failed':
          this.#broken.abort(new AppError('failed_precondition', event.reason));
          break;
        default:
          unreachable(event);
      }
    }
  }
}
