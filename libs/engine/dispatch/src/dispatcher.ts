import { type Clock, type ClusterSnapshot, type ErrorCode, AppError, LIMITS, type WorkerId, assert } from '@essaim/core';
import { expertsOf, pairsOf, sumsOf } from './added-rows.ts';
import { type ExpertAnswer, sumAnswers, sumPairs } from './combine.ts';
import { DispatchPhases, type LeadTimes } from './dispatch-phases.ts';
import { type DispatchOutcome, type DispatchResult, DispatchTally } from './dispatch-result.ts';
import { activationsOf, type DeviceWork, type DispatchWork, type ExpertCall, checkWork, isOnDevice, type RoutedWork, rowCount, toExpertBatch } from './expert-call.ts';
import { type ExpertPeer } from './expert-peer.ts';
import { planCalls } from './plan-calls.ts';
import { ReplicaChoice } from './replica-choice.ts';
import { Suspects } from './suspects.ts';

export interface DispatcherOptions {
  /** This worker, the lead. */
  readonly self: WorkerId;
  /** The experts of this process. Called after the frames to other workers are handed over, so that all run at the same time. */
  readonly local: ExpertPeer;
  /** The connection to another worker; null where there is none. */
  readonly peer: (worker: WorkerId) => ExpertPeer | null;
  readonly snapshot: () => ClusterSnapshot;
  /** Resolves with the next snapshot newer than `epoch`, or with null after a bounded wait; rejects when aborted. */
  readonly newerThan: (epoch: number, signal: AbortSignal) => Promise<ClusterSnapshot | null>;
  readonly clock: Pick<Clock, 'sleep'>;
  /** True: the same bits wherever each expert runs, at the price of one row per (token, expert) in replies. */
  readonly deterministic: boolean;
  /** Told what this lead does. Default: nobody asks. */
  readonly times?: LeadTimes;
}

/** One dispatch under way. */
interface Run {
  readonly work: DispatchWork | DeviceWork;
  readonly signal: AbortSignal;
  readonly tally: DispatchTally;
  readonly answers: ExpertAnswer[];
  /** To this process, of a work on its device, that are yet to be run. */
  readonly own: ExpertCall[];
  readonly phases: DispatchPhases;
}

/** Where some pairs of a run stand. */
interface Try {
  readonly attempt: number;
  /** Of the snapshot that the last try was made under. */
  readonly epoch: number;
  /** Workers that failed these pairs under that snapshot. */
  readonly failed: ReadonlySet<WorkerId>;
  /** Why the last try failed. */
  readonly reason: string;
  /** One of `failed` was only busy, so that it is worth coming back to. */
  readonly wasBusy: boolean;
}

const FIRST: Try = { attempt: 0, epoch: -1, failed: new Set(), reason: '', wasBusy: false };

const UNWATCHED: LeadTimes = { enter: (phase) => phase };

/** Before the second call to workers that were all busy; twice as long before each further one. */
const BUSY_PAUSE_MS = 50;

/** What another replica, or a newer placement, may mend. Anything else would fail there too. */
const RETRIED: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['unavailable', 'deadline_exceeded', 'failed_precondition', 'resource_exhausted']);

/** Sends each row of a step to the workers that hold its experts, and sums what they return. One per lead and model. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #suspects = new Suspects();
  #choices = new Map<number, ReplicaChoice>();
  /** Of which `#choices` are, by layer. */
  #chosenUnder: ClusterSnapshot | null = null;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /**
   * Calls every worker involved once, all at the same time. The pairs of a call that fails go to other replicas, or wait for a newer
   * placement, LIMITS.expertCallAttempts times in all; where that does not help, their rows fail and the other rows succeed.
   * Rejects with the signal's reason (`cancelled`) when aborted.
   */
  dispatch(work: DispatchWork, signal: AbortSignal): Promise<DispatchResult> {
    return this.#run(work, signal, ({ tally, answers }) => ({ ...tally.outcome(), output: (this.#options.deterministic ? sumPairs : sumAnswers)(work, answers) }));
  }

  /** The same for rows on this process's device, where its own experts run and all sums are added. Rejects, too, when that device fails: part of a sum may be there. */
  dispatchOnDevice(work: DeviceWork, signal: AbortSignal): Promise<DispatchOutcome> {
    return this.#run(work, signal, async ({ tally, answers, own }) => {
      await work.activations.add(work.layer, this.#options.deterministic ? pairsOf(own, answers, work.hiddenSize) : sumsOf(answers));
      return tally.outcome();
    });
  }

  async #run<T>(work: DispatchWork | DeviceWork, signal: AbortSignal, sum: (run: Run) => T | Promise<T>): Promise<T> {
    checkWork(work);
    const run: Run = { work, signal, tally: new DispatchTally(rowCount(work), work.routing), answers: [], own: [], phases: new DispatchPhases(this.#options.times ?? UNWATCHED) };
    try {
      await this.#collect(run);
      return await sum(run);
    } finally {
      run.phases.end();
    }
  }

  /** Until each pair has an answer or a failure. */
  async #collect(run: Run): Promise<void> {
    const { work, signal } = run;
    try {
      await this.#send(run, work.routing.experts.map((_expert, pair) => pair), FIRST);
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
    }
    if (signal.aborted) throw AppError.from(signal.reason);
    run.phases.sum();
  }

  async #send(run: Run, pairs: Uint32Array, previous: Try): Promise<void> {
    const snapshot = this.#options.snapshot();
    this.#suspects.observe(snapshot.epoch);
    const isNewer = snapshot.epoch > previous.epoch;
    const current: Try = { ...previous, epoch: snapshot.epoch, ...(isNewer && { failed: FIRST.failed, wasBusy: false }) };
    const { calls, stranded } = planCalls(pairs, run.work.routing, this.#choiceFor(run.work, snapshot, current.failed));
    const answered = [...calls.map((call) => this.#call(run, call, current)), this.#awaitReplicas(run, stranded, current)];
    run.phases.wait();
    await Promise.all(answered);
  }

  /** Kept from step to step while nobody is avoided. */
  #choiceFor({ step, layer }: RoutedWork, snapshot: ClusterSnapshot, excluded: ReadonlySet<WorkerId>): ReplicaChoice {
    const choose = (): ReplicaChoice => new ReplicaChoice({
      layer, replicas: snapshot.placement[layer] ?? [], self: this.#options.self, near: nearTo(this.#options.self, snapshot), excluded, isSuspect: (worker) => this.#suspects.has(worker, step),
    });
    if (excluded.size > 0 || this.#suspects.any(step)) return choose();
    if (this.#chosenUnder !== snapshot) [this.#chosenUnder, this.#choices] = [snapshot, new Map()];
    const choice = this.#choices.get(layer) ?? choose();
    this.#choices.set(layer, choice);
    return choice;
  }

  async #call(run: Run, call: ExpertCall, current: Try): Promise<void> {
    const whose = call.worker === this.#options.self ? 'experts' : 'remote';
    if (whose === 'experts' && isOnDevice(run.work)) return this.#callDevice(run, run.work, call, current);
    try {
      const activations = isOnDevice(run.work) ? await run.work.activations.inputs(call.rows) : activationsOf(run.work, call.rows);
      const batch = toExpertBatch(run.work, call, { ...current, activations, reduce: !this.#options.deterministic });
      const result = await run.phases.call(whose, () => this.#peer(call.worker).execute(batch, run.signal));
      assert(result.length === (batch.reduce ? call.rows : call.pairs).length * batch.hiddenSize, 'a peer returns as many rows as it was asked for');
      run.answers.push({ call, result });
    } catch (thrown) {
      if (run.signal.aborted) throw thrown;
      return this.#recover(run, call, { error: AppError.from(thrown), current });
    }
    run.tally.answered(call, this.#options.self);
  }

  /** Where sums have an order of their own, the experts run when all else is there. */
  async #callDevice(run: Run, { layer, activations }: DeviceWork, call: ExpertCall, current: Try): Promise<void> {
    try {
      if (this.#options.deterministic) run.own.push(call);
      else await run.phases.call('experts', () => activations.add(layer, expertsOf(call)));
    } catch (thrown) {
      const error = AppError.from(thrown);
      if (error.code !== 'failed_precondition') throw error;
      return this.#recover(run, call, { error, current });
    }
    run.tally.answered(call, this.#options.self);
  }

  #peer(worker: WorkerId): ExpertPeer {
    const peer = worker === this.#options.self ? this.#options.local : this.#options.peer(worker);
    if (peer === null) throw new AppError('unavailable', `there is no connection to worker ${worker}`);
    return peer;
  }

  async #recover(run: Run, { worker, pairs }: ExpertCall, { error, current }: { readonly error: AppError; readonly current: Try }): Promise<void> {
    if (!RETRIED.has(error.code)) return pairs.forEach((pair) => run.tally.failed(pair, error));
    if (error.code === 'unavailable' || error.code === 'deadline_exceeded') this.#suspects.add(worker, run.work.step);
    const wasBusy = current.wasBusy || error.code === 'resource_exhausted';
    const failed: Try = { ...current, failed: new Set([...current.failed, worker]), reason: error.message, wasBusy };
    if (isLast(failed)) return this.#giveUp(run, pairs, failed);
    run.tally.retried(pairs);
    if (error.code === 'failed_precondition') await this.#newerSnapshot(failed, run.signal);
    await this.#send(run, pairs, { ...failed, attempt: failed.attempt + 1 });
  }

  /** No replica can be called: none is ready, or each has failed. A newer placement may have one, and a worker that only stumbled may be back. */
  async #awaitReplicas(run: Run, pairs: Uint32Array, current: Try): Promise<void> {
    if (pairs.length === 0) return;
    if (current.wasBusy) return this.#comeBack(run, pairs, current);
    if (isLast(current)) return this.#giveUp(run, pairs, current);
    await this.#newerSnapshot(current, run.signal);
    await this.#send(run, pairs, { ...current, failed: FIRST.failed, attempt: current.attempt + 1 });
  }

  /** The attempt that found nobody free has called nobody: it calls after the pause. */
  async #comeBack(run: Run, pairs: Uint32Array, current: Try): Promise<void> {
    await this.#options.clock.sleep(BUSY_PAUSE_MS << (current.attempt - 1), run.signal);
    await this.#send(run, pairs, { ...current, failed: FIRST.failed, wasBusy: false });
  }

  async #newerSnapshot({ epoch }: Try, signal: AbortSignal): Promise<void> {
    if (this.#options.snapshot().epoch <= epoch) await this.#options.newerThan(epoch, signal);
  }

  #giveUp({ work, tally }: Run, pairs: Uint32Array, { epoch, reason }: Try): void {
    for (const pair of pairs) {
      const why = reason || `the placement of epoch ${epoch} has none that is ready, try again when its workers are back`;
      tally.failed(pair, new AppError('unavailable', `layer ${work.layer}, expert ${work.routing.experts[pair]} has no reachable replica: ${why}`));
    }
  }
}

/** Those whose cards NVLink joins to that of a worker. */
function nearTo(self: WorkerId, { workers }: ClusterSnapshot): ReadonlySet<WorkerId> {
  const domain = workers.find(({ id }) => id === self)?.nvlinkDomain;
  return new Set(domain === undefined ? [] : workers.filter(({ nvlinkDomain }) => nvlinkDomain === domain).map(({ id }) => id));
}

const isLast = ({ attempt }: Try): boolean => attempt + 1 >= LIMITS.expertCallAttempts;
