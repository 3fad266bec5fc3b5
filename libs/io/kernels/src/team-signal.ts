import { AppError } from '@essaim/core';

/** How often a thread looks before it sleeps: about 100 microseconds, what passes between two jobs of a step. Waking a thread that sleeps takes longer than a small job. */
const LOOKS = 20_000;
/** Nobody computes so long: a thread that has not come by then is broken. */
const DEADLINE_MS = 60_000;
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

/** What the threads of a team tell each other: that there is a job, who does which part of it, that all are through with a phase, that a thread is done. */
export class TeamSignal {
  readonly #ints: Int32Array;
  readonly #thread: number;
  readonly #threads: number;
  #number = 0;
  /** Arrivals at barriers of this job that must have been seen before the next phase. */
  #arrivals = 0;

  constructor(ints: Int32Array, thread: number, threads: number) {
    this.#ints = ints;
    this.#thread = thread;
    this.#threads = threads;
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

  /** Every other thread: blocks until there is another job. */
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

  /** Thread 0: blocks until all others are done. */
  awaitOthers(): void {
    const ints = this.#ints;
    for (let thread = 1; thread < this.#threads; thread++) {
      const index = DONE + thread;
      for (let look = 0; look < LOOKS && Atomics.load(ints, index) !== this.#number; look++);
      for (let value = Atomics.load(ints, index); value !== this.#number; value = Atomics.load(ints, index)) {
        if (Atomics.wait(ints, index, value, DEADLINE_MS) === 'timed-out') throw silent();
      }
    }
  }

  /** The same, without blocking. */
  async othersDone(): Promise<void> {
    for (let thread = 1; thread < this.#threads; thread++) {
      const index = DONE + thread;
      for (let value = Atomics.load(this.#ints, index); value !== this.#number; value = Atomics.load(this.#ints, index)) {
        if ((await Atomics.waitAsync(this.#ints, index, value, DEADLINE_MS).value) === 'timed-out') throw silent();
      }
    }
  }

  /** Whoever fails says so, that nobody waits for it. */
  fail(): void {
    Atomics.store(this.#ints, FAILED, 1);
    Atomics.add(this.#ints, ARRIVED, this.#threads << 8);
    Atomics.notify(this.#ints, ARRIVED);
  }

  /** The next part of a phase that nobody has taken yet, from 0 on. */
  take(phase: number): number {
    return Atomics.add(this.#ints, NEXT_PART + phase, 1);
  }

  /** Blocks until all threads of the team are here. */
  meet(): void {
    if (this.#threads === 1) return;
    const ints = this.#ints;
    this.#arrivals += this.#threads;
    const wanted = this.#arrivals;
    if (Atomics.add(ints, ARRIVED, 1) + 1 >= wanted) {
      Atomics.notify(ints, ARRIVED);
    } else {
      for (let look = 0; look < LOOKS && Atomics.load(ints, ARRIVED) < wanted; look++);
      for (let value = Atomics.load(ints, ARRIVED); value < wanted; value = Atomics.load(ints, ARRIVED)) {
        if (Atomics.wait(ints, ARRIVED, value, DEADLINE_MS) === 'timed-out') throw silent();
      }
    }
    if (Atomics.load(ints, FAILED) === 1) throw new AppError('internal', 'another thread of this job failed');
  }
}

const silent = (): AppError => new AppError('internal', 'a compute thread of this worker does not answer: restart the worker');
