import { AppError, assert } from '@essaim/core';

/** How often a thread looks before it sleeps: about 100 microseconds, what passes between two jobs of a step. Waking a thread that sleeps takes longer than a small job. */
const LOOKS = 20_000;
/** Nobody computes for a minute: a thread that has not come after so many waits is broken. Many short ones, so that a process that was stopped meanwhile counts as one of them. */
const WAITS = 60;
const WAIT_MS = 1_000;
/** Phases of a job that are shared out in parts. */
const PHASES = 16;

/** Integers that all threads of a team see. */
const JOB_NUMBER = 0;
const FAILED = 1;
const ARRIVED = 2;
const NEXT_PART = 3;
const DONE = NEXT_PART + PHASES;

export const signalInts = (threads: number): number => DONE + threads;

/** The number after a job's: as Atomics keep it, back to the least after the largest, which a busy worker reaches within days. */
const following = (number: number): number => (number + 1) | 0;

/** Why a thread that waited for the others goes no further. What failed, the one that failed says. */
export class FailedElsewhere extends Error {}

/** A thread of the team did not come. Whether it still computes is unknown, so the team can't go on. */
export class SilentThread extends AppError {
  constructor() {
    super('internal', 'a compute thread of this worker does not answer: restart the worker');
  }
}

export interface TeamSignalOptions {
  readonly ints: Int32Array;
  readonly thread: number;
  readonly threads: number;
  /** Number of the job before the first one, the same for all threads. Default: 0. */
  readonly after?: number;
  /** Default: a second. */
  readonly waitMs?: number;
}

/** What the threads of a team tell each other: that there is a job, who does which part of it, that all are through with a phase, that a thread is done. */
export class TeamSignal {
  readonly #ints: Int32Array;
  readonly #thread: number;
  readonly #threads: number;
  readonly #waitMs: number;
  #number: number;
  /** Arrivals at barriers of this job that must have been seen before the next phase. */
  #arrivals = 0;

  constructor({ ints, thread, threads, after = 0, waitMs = WAIT_MS }: TeamSignalOptions) {
    this.#ints = ints;
    this.#thread = thread;
    this.#threads = threads;
    this.#waitMs = waitMs;
    this.#number = after;
    // The thread that begins jobs; another one may come when the first has begun.
    if (thread === 0) Atomics.store(ints, JOB_NUMBER, after);
  }

  /** Thread 0: a job that was written begins. All have done the one before. */
  begin(): void {
    const ints = this.#ints;
    ints.fill(0, FAILED, DONE);
    this.#arrivals = 0;
    this.#number = following(this.#number);
    Atomics.store(ints, JOB_NUMBER, this.#number);
    Atomics.notify(ints, JOB_NUMBER);
  }

  /** Every other thread: blocks until there is another job, for as long as there is none. */
  awaitJob(): void {
    const ints = this.#ints;
    for (let look = 0; look < LOOKS && Atomics.load(ints, JOB_NUMBER) === this.#number; look++);
    while (Atomics.load(ints, JOB_NUMBER) === this.#number) Atomics.wait(ints, JOB_NUMBER, this.#number);
    this.#number = Atomics.load(ints, JOB_NUMBER);
    this.#arrivals = 0;
  }

  /** Every other thread: it has done its share, or failed. */
  done(): void {
    Atomics.store(this.#ints, DONE + this.#thread, this.#number);
    Atomics.notify(this.#ints, DONE + this.#thread);
  }

  /** Thread 0: blocks until all others are done. Fails with `SilentThread`. */
  awaitOthers(): void {
    const ints = this.#ints;
    for (let thread = 1; thread < this.#threads; thread++) {
      const index = DONE + thread;
      for (let look = 0; look < LOOKS && Atomics.load(ints, index) !== this.#number; look++);
      this.#sleep(index, (value) => value === this.#number);
    }
  }

  /** The same, without blocking. */
  async othersDone(): Promise<void> {
    for (let thread = 1; thread < this.#threads; thread++) {
      const index = DONE + thread;
      let waits = 0;
      for (let value = Atomics.load(this.#ints, index); value !== this.#number; value = Atomics.load(this.#ints, index)) {
        if ((await Atomics.waitAsync(this.#ints, index, value, this.#waitMs).value) === 'timed-out' && ++waits === WAITS) throw new SilentThread();
      }
    }
  }

  /** Whoever fails says so, that nobody waits for it. */
  fail(): void {
    Atomics.store(this.#ints, FAILED, 1);
    Atomics.add(this.#ints, ARRIVED, this.#threads << 8);
    Atomics.notify(this.#ints, ARRIVED);
  }

  /** One of the threads failed in this job, or does. */
  get hasFailed(): boolean {
    return Atomics.load(this.#ints, FAILED) === 1;
  }

  /** The next part of a phase that nobody has taken yet, from 0 on. */
  take(phase: number): number {
    assert(phase < PHASES, 'a job has no more phases than there are counters for');
    return Atomics.add(this.#ints, NEXT_PART + phase, 1);
  }

  /** Blocks until all threads of the team are here. Fails with `FailedElsewhere`, or with `SilentThread`. */
  meet(): void {
    if (this.#threads === 1) return;
    const ints = this.#ints;
    this.#arrivals += this.#threads;
    const wanted = this.#arrivals;
    if (Atomics.add(ints, ARRIVED, 1) + 1 >= wanted) {
      Atomics.notify(ints, ARRIVED);
    } else {
      for (let look = 0; look < LOOKS && Atomics.load(ints, ARRIVED) < wanted; look++);
      this.#sleep(ARRIVED, (value) => value >= wanted);
    }
    if (this.hasFailed) throw new FailedElsewhere();
  }

  /** Until the integer at an index is as wanted. */
  #sleep(index: number, isWanted: (value: number) => boolean): void {
    let waits = 0;
    for (let value = Atomics.load(this.#ints, index); !isWanted(value); value = Atomics.load(this.#ints, index)) {
      if (Atomics.wait(this.#ints, index, value, this.#waitMs) === 'timed-out' && ++waits === WAITS) throw new SilentThread();
    }
  }
}
