import { AppError, type Clock, type Durations, type ExpertPhase, LIMITS } from '@essaim/core';
import { Company } from './company.ts';
import { type ExpertBatch, type ExpertPeer } from './expert-peer.ts';
import { EXPERT_QUEUE_LIMITS, ExpertQueue, type ExpertQueueLimits, type WaitingCall } from './expert-queue.ts';
import { type ExpertRunner } from './expert-runner.ts';
import { JointBatch } from './joint-batch.ts';

export interface LocalExpertsOptions {
  readonly runner: ExpertRunner;
  /** Highest snapshot epoch that this worker has applied. */
  readonly epoch: () => number;
  readonly clock: Pick<Clock, 'nowMs' | 'sleep'>;
  /** Default: EXPERT_QUEUE_LIMITS. */
  readonly limits?: ExpertQueueLimits;
  /** Told how long calls wait and run. Default: nobody asks. */
  readonly times?: Pick<Durations<ExpertPhase>, 'add'>;
}

/** The own lead waits for others no longer than it took from its last layer to this one, which is about what a lead needs that is a layer behind, nor than this. */
const PATIENCE_MS = 20;

/**
 * The experts of this process as a peer: for other leads behind a stream, and as `own` for its own lead. While some calls run, others gather:
 * those for one layer then run as one, each expert once over the rows of all of them. Only the own lead waits for company that has not come,
 * for a bounded time and where it is likely to come: leads that once were at one layer together stay together.
 */
export class LocalExperts implements ExpertPeer {
  /** For the lead of this process. */
  readonly own: ExpertPeer = { execute: (batch, signal) => this.#executeOwn(batch, signal) };
  readonly #options: LocalExpertsOptions;
  readonly #queue: ExpertQueue;
  /** Where the rows of each run are gathered, one run after the other: as large as the largest one. */
  #input = new Float32Array(0);
  readonly #company = new Company();
  #ownCalledMs = -Infinity;
  #isRunning = false;

  constructor(options: LocalExpertsOptions) {
    this.#options = options;
    this.#queue = new ExpertQueue(options.limits ?? EXPERT_QUEUE_LIMITS);
  }

  /**
   * The same bits whatever runs beside it: rows don't depend on each other, and sums run in ascending expert order.
   * Fails with `resource_exhausted` at once when too much waits. A call that is aborted while it waits is not run.
   */
  execute(batch: ExpertBatch, signal: AbortSignal): Promise<Float32Array> {
    this.#company.came(batch.layer);
    return this.#enqueue(batch, signal);
  }

  #executeOwn(batch: ExpertBatch, signal: AbortSignal): Promise<Float32Array> {
    const { clock, limits = EXPERT_QUEUE_LIMITS } = this.#options;
    const patienceMs = Math.min(PATIENCE_MS, clock.nowMs() - this.#ownCalledMs);
    this.#ownCalledMs = clock.nowMs();
    const call = this.#company.call(batch.layer);
    // Where there are many rows, reading the weights once more costs little.
    const isLarge = 2 * (batch.rowOffsets.length - 1) > limits.batchRows;
    if (isLarge || this.#company.awaited === null) this.#company.giveUp(call);
    else void clock.sleep(patienceMs).then(() => this.#giveUp(call));
    return this.#enqueue(batch, signal);
  }

  #giveUp(call: number): void {
    this.#company.giveUp(call);
    this.#wake();
  }

  #enqueue(batch: ExpertBatch, signal: AbortSignal): Promise<Float32Array> {
    return new Promise((resolve, reject) => {
      const nowMs = this.#options.clock.nowMs();
      this.#queue.add({ batch, signal, cameMs: nowMs, deadlineMs: nowMs + LIMITS.expertCallMs, resolve, reject }, nowMs);
      this.#wake();
    });
  }

  #wake(): void {
    if (!this.#isRunning) void this.#runWaiting();
  }

  async #runWaiting(): Promise<void> {
    this.#isRunning = true;
    for (;;) {
      // What is called in the same turn may still join.
      await Promise.resolve();
      const calls = this.#queue.take(this.#options.clock.nowMs(), this.#company.awaited);
      if (calls.length === 0) break;
      this.#company.ran(calls[0]!.batch.layer);
      await this.#answer(calls.filter((call) => !this.#isRefused(call)));
    }
    this.#isRunning = false;
  }

  async #answer(calls: readonly WaitingCall[]): Promise<void> {
    const { clock, times } = this.#options;
    const beganMs = clock.nowMs();
    for (const { cameMs } of calls) times?.add('queue', beganMs - cameMs);
    try {
      const replies = await this.#run(calls.map(({ batch }) => batch));
      calls.forEach(({ signal, resolve, reject }, nth) => (signal.aborted ? reject(AppError.from(signal.reason)) : resolve(replies[nth]!)));
    } catch (thrown) {
      for (const { reject } of calls) reject(AppError.from(thrown));
    } finally {
      times?.add('compute', clock.nowMs() - beganMs);
    }
  }

  /** Batches of one layer; returns the reply to each. */
  async #run(batches: readonly ExpertBatch[]): Promise<Float32Array[]> {
    const joint = new JointBatch(batches);
    if (this.#input.length < joint.inputLength) this.#input = new Float32Array(joint.inputLength);
    const groups = joint.groups(this.#input);
    const results = groups.length === 0 ? [] : await this.#options.runner.run(batches[0]!.layer, groups);
    return joint.replies(groups, results);
  }

  /** Asked last thing before a call runs: an expert may have left, and an epoch come, while it waited. */
  #isRefused({ batch, reject }: WaitingCall): boolean {
    const refusal = this.#stale(batch) ?? this.#missing(batch);
    if (refusal !== null) reject(refusal);
    return refusal !== null;
  }

  #stale({ epoch }: ExpertBatch): AppError | null {
    const applied = this.#options.epoch();
    if (epoch >= applied) return null;
    return new AppError('failed_precondition', `an expert call of epoch ${epoch} is stale, epoch ${applied} holds here: take the newer placement and call again`);
  }

  #missing({ layer, experts }: ExpertBatch): AppError | null {
    for (const expert of new Set(experts)) {
      if (!this.#options.runner.holds({ layer, expert })) {
        return new AppError('failed_precondition', `layer ${layer}, expert ${expert} is not loaded here: take the newest placement and call another replica`);
      }
    }
    return null;
  }
}
