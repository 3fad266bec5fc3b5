import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { AppError, type ErrorReport } from '@essaim/core';
import { type Job, JOB_INTEGERS, writeJob } from './job.ts';
import { signalInts, TeamSignal } from './team-signal.ts';
import { type TeamMessage, type TeamThreadData } from './team-thread.ts';

export interface TeamOptions {
  /** The calling one included. */
  readonly threads: number;
  /** The file that another thread runs: it calls `runTeamThread`. For more than one thread. */
  readonly entry: URL | null;
  /** What every thread is made with. */
  readonly setup: TeamThreadData['setup'];
}

/** The threads that run each job together: the one that calls, and others that wait for it. Owns the others. */
export class Team {
  readonly signal: TeamSignal;
  readonly #workers: readonly Worker[];
  readonly #ports: readonly MessagePort[];
  readonly #words = new Uint32Array(new SharedArrayBuffer(JOB_INTEGERS * Uint32Array.BYTES_PER_ELEMENT));

  constructor({ threads, entry, setup }: TeamOptions) {
    const ints = new Int32Array(new SharedArrayBuffer(signalInts(threads) * Int32Array.BYTES_PER_ELEMENT));
    this.signal = new TeamSignal(ints, 0, threads);
    const channels = entry === null ? [] : Array.from({ length: threads - 1 }, () => new MessageChannel());
    this.#ports = channels.map(({ port1 }) => port1);
    this.#workers = channels.map(({ port2 }, nth) => {
      const data: TeamThreadData = { setup, thread: nth + 1, threads, ints, words: this.#words, port: port2 };
      const worker = new Worker(entry!, { workerData: data, transferList: [port2] });
      // Nothing could go on without it: the process ends, and the cluster serves without this worker.
      worker.on('error', (error) => {
        throw error;
      });
      worker.unref();
      return worker;
    });
  }

  /** Runs a job on all threads, `own` being the calling one's share; blocks until it is done. Fails as the first of them failed. */
  run(job: Job, own: () => void): void {
    writeJob(job, this.#words);
    this.signal.begin();
    let failure: unknown = null;
    try {
      own();
    } catch (thrown) {
      this.signal.fail();
      failure = thrown;
    }
    this.signal.awaitOthers();
    const elsewhere = this.#failure();
    if (elsewhere !== null) throw AppError.reported(elsewhere);
    if (failure !== null) throw failure as Error;
  }

  /** The same message to all other threads; waits without blocking until they have taken it. */
  async tell(message: TeamMessage): Promise<void> {
    if (this.#ports.length === 0) return;
    for (const port of this.#ports) port.postMessage(message);
    writeJob({ kind: 'messages' }, this.#words);
    this.signal.begin();
    // While it waits, and only then, a thread keeps the process alive.
    for (const worker of this.#workers) worker.ref();
    try {
      await this.signal.othersDone();
    } finally {
      for (const worker of this.#workers) worker.unref();
    }
    const failure = this.#failure();
    if (failure !== null) throw AppError.reported(failure);
  }

  /** All are taken, so that none is left for a later job. */
  #failure(): ErrorReport | null {
    const [failure] = this.#ports.flatMap((port) => (receiveMessageOnPort(port)?.message as ErrorReport | undefined) ?? []);
    return failure ?? null;
  }
}
