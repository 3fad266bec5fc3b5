import { AppError, assert } from '@essaim/core';

/** How often a thread looks before it sleeps: about 100 microseconds, what passes between two jobs of a step. Waking a thread that sleeps takes longer than a small job. */
const LOOKS = 20_000;
/** Nobody computes for a minute: a thread that has not come after so many waits is broken. Many short ones, so that a process that was stopped meanwhile counts as one of them. */
const WAITS = 60;
const WAIT_MS = 1_000;
/** Phases of a job that are shared out in parts. */
const PHASES = 16;
/** All threads must come to the end of every so many jobs, so that none takes a job for one whose number has the same mark. */
const ROLL_CALL = 1 << 12;

/** Integers that all threads of a team see. Those of phases have the job's mark above, and a count of parts below. */
const JOB_NUMBER = 0;
const FAILED = 1;
const TAKEN = 2;
const FINISHED = TAKEN + PHASES;
const DONE = FINISHED + PHASES;

const COUNT_BITS = 16;
const COUNT = (1 << COUNT_BITS) - 1;
/** In the count of finished parts: there will be no more. */
const GIVEN_UP = 1 << (COUNT_BITS - 1);

export const signalInts = (threads: number): number => DONE + threads;

/** The number after a job's: as Atomics keep it, back to the least after the largest, which a busy worker reaches within days. */
const following = (number: number): number => (number + 1) | 0;

/** Why a thread that waited for the others goes no further. What failed, the one that failed says. */
export class FailedElsewhere extends Error {}

/** Why a thread leaves a job: the others finished it meanwhile. */
export class JobIsOver extends Error {}
const OVER = new JobIsOver();

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

/**
 * What the threads of a team tell each other: that there is a job, who does which part of it, that a phase is done. Thread 0 waits for parts, not
 * for threads: one that the system gave no processor meanwhile holds nobody up unless it is within a part, and finds the job over when it is back.
 */
export class TeamSignal {
  readonly #ints: Int32Array;
  readonly #thread: number;
  readonly #threads: number;
  readonly #waitMs: number;
  #number: number;

  constructor({ ints, thread, threads, after = 0, waitMs = WAIT_MS }: TeamSignalOptions) {
    this.#ints = ints;
    this.#thread = thread;
    this.#threads = threads;
    this.#waitMs = waitMs;
    this.#number = after;
    // The thread that begins jobs; another one may come when the first has begun.
    if (thread !== 0) return;
    ints.fill(after, DONE);
    Atomics.store(ints, JOB_NUMBER, after);
  }

  /** Which of two places the job of this thread is written in. Thread 0 writes the next job in the other one, so that a thread that is late reads a whole one. */
  get slot(): number {
    return this.#number & 1;
  }

  /** Thread 0: the job that was written begins. All parts of the one before are finished. */
  begin(): void {
    const ints = this.#ints;
    this.#number = following(this.#number);
    ints[FAILED] = 0;
    ints.fill(this.#number << COUNT_BITS, TAKEN, DONE);
    Atomics.store(ints, JOB_NUMBER, this.#number);
    Atomics.notify(ints, JOB_NUMBER);
  }

  /** Every other thread: blocks until there is another job, for as long as there is none. */
  awaitJob(): void {
    const ints = this.#ints;
    for (let look = 0; look < LOOKS && Atomics.load(ints, JOB_NUMBER) === this.#number; look++);
    while (Atomics.load(ints, JOB_NUMBER) === this.#number) Atomics.wait(ints, JOB_NUMBER, this.#number);
    this.#number = Atomics.load(ints, JOB_NUMBER);
  }

  /** Another job has begun since this thread came to its own. */
  get isOver(): boolean {
    return Atomics.load(this.#ints, JOB_NUMBER) !== this.#number;
  }

  /** Every other thread: it has left the job, whether it did anything or not. */
  done(): void {
    Atomics.store(this.#ints, DONE + this.#thread, this.#number);
    Atomics.notify(this.#ints, DONE + this.#thread);
  }

  /** All threads must have left the job before the next one begins: one of them failed, or it is time to see that all are there. */
  get isEndShared(): boolean {
    return this.hasFailed || this.#number % ROLL_CALL === 0;
  }

  /** Thread 0: blocks until all others have left the job. Fails with `SilentThread`. */
  awaitOthers(): void {
    for (let thread = 1; thread < this.#threads; thread++) this.#until(DONE + thread, (value) => value === this.#number);
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
    for (let phase = 0; phase < PHASES; phase++) {
      Atomics.or(this.#ints, FINISHED + phase, GIVEN_UP);
      Atomics.notify(this.#ints, FINISHED + phase);
    }
  }

  /** One of the threads failed in this job. */
  get hasFailed(): boolean {
    return Atomics.load(this.#ints, FAILED) === 1;
  }

  /**
   * Does parts of a phase, numbered from 0, until none is left, and blocks until those of the others are finished too. Fails with `FailedElsewhere`;
   * on thread 0 with `SilentThread`, on every other with `JobIsOver`.
   */
  share(phase: number, parts: number, act: (part: number) => void): void {
    assert(phase < PHASES, 'a job has no more phases than there are counters for');
    assert(parts < GIVEN_UP, 'a phase has no more parts than can be counted');
    if (this.#threads === 1) {
      for (let part = 0; part < parts; part++) act(part);
      return;
    }
    for (let part = this.#take(phase, parts); part < parts; part = this.#take(phase, parts)) {
      act(part);
      if (((Atomics.add(this.#ints, FINISHED + phase, 1) + 1) & COUNT) >= parts) Atomics.notify(this.#ints, FINISHED + phase);
    }
    this.#until(FINISHED + phase, (value) => this.#countOf(value) >= parts);
    if (this.hasFailed) throw new FailedElsewhere();
  }

  /** The next part that nobody has taken; `parts` where there is none. */
  #take(phase: number, parts: number): number {
    const index = TAKEN + phase;
    for (let value = Atomics.load(this.#ints, index); ; ) {
      const part = this.#countOf(value);
      if (part >= parts) return parts;
      const found = Atomics.compareExchange(this.#ints, index, value, value + 1);
      if (found === value) return part;
      value = found;
    }
  }

  /** Of an integer of a phase of this thread's job. Fails with `JobIsOver` for one of another job. */
  #countOf(value: number): number {
    if (value >>> COUNT_BITS !== (this.#number & COUNT)) throw OVER;
    return value & COUNT;
  }

  /** Blocks until the integer at an index is as wanted. */
  #until(index: number, isWanted: (value: number) => boolean): void {
    const ints = this.#ints;
    for (let look = 0; look < LOOKS; look++) if (isWanted(Atomics.load(ints, index))) return;
    let waits = 0;
    for (let value = Atomics.load(ints, index); !isWanted(value); value = Atomics.load(ints, index)) {
      if (Atomics.wait(ints, index, value, this.#waitMs) === 'timed-out' && ++waits === WAITS) throw new SilentThread();
    }
  }
}
