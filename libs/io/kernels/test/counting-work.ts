import { AppError } from '@essaim/core';
import { type HeadJob, type Job } from '../src/job.ts';
import { type TeamSignal } from '../src/team-signal.ts';
import { type TeamWork } from '../src/team-thread.ts';

/** Parts of a phase at most. */
export const MOST_PARTS = 64;
const NOBODY = 255;

export interface CountingSetup {
  /** [phases, MOST_PARTS]: how often each part was done. */
  readonly done: Int32Array;
  /** By thread: banks that it was told of, and how many bytes all of them have. */
  readonly banks: Int32Array;
  readonly failsToStart: boolean;
}

export interface CountingJob {
  readonly phases: number;
  readonly parts: number;
  /** The thread that fails in a part of a phase, which the others leave one for, and that phase. */
  readonly failing?: { readonly thread: number; readonly phase: number };
}

/** Work that counts what it does, in jobs that look like those of a model. */
export class CountingWork implements TeamWork {
  readonly #setup: CountingSetup;
  readonly #thread: number;
  readonly #signal: TeamSignal;

  constructor(setup: CountingSetup, thread: number, signal: TeamSignal) {
    this.#setup = setup;
    this.#thread = thread;
    this.#signal = signal;
  }

  static job({ phases, parts, failing = { thread: NOBODY, phase: 0 } }: CountingJob): HeadJob {
    return { kind: 'head', bank: phases, rows: parts, at: 256 * failing.phase + failing.thread };
  }

  run(job: Job): void {
    if (job.kind !== 'head') throw new Error('a job that counts looks like a head');
    for (let phase = 0; phase < job.bank; phase++) {
      const [failing, failingPhase] = [job.at % 256, Math.floor(job.at / 256)];
      this.#signal.share(phase, job.rows, (part) => {
        Atomics.add(this.#setup.done, phase * MOST_PARTS + part, 1);
        if (failing === NOBODY || failingPhase !== phase) return;
        if (failing === this.#thread) throw new AppError('data_loss', `injected: thread ${this.#thread} fails`);
        while (!this.#signal.hasFailed);
      });
    }
  }

  addBank(bank: number, memory: WebAssembly.Memory): void {
    this.#setup.banks[2 * this.#thread] = bank + 1;
    this.#setup.banks[2 * this.#thread + 1]! += memory.buffer.byteLength;
  }
}
