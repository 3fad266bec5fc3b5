import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { AppError, assert, type ErrorReport } from '@essaim/core';
import { type Job, JOB_INTEGERS, writeJob } from './job.ts';
import { FailedElsewhere, signalInts, type SilentThread, TeamSignal, type TeamSignalOptions } from './team-signal.ts';
import { type TeamMessage, type TeamThreadData } from './team-thread.ts';

export interface TeamOptions<Setup> extends Pick<TeamSignalOptions, 'after' | 'waitMs'> {
  /** The calling one included. */
  readonly threads: number;
  /** The file that another thread runs: it calls `serveTeam`. For more than one thread. */
  readonly entry: URL | null;
  /** What every thread is made with. */
  readonly setup: Setup;
  /** Told when a thread ended or does not answer: no job can be done any more. Default: the process ends, and the cluster serves without this worker. */
  readonly onLost?: (error: Error) => void;
}

/** The threads that run each job together: the one that calls, and others that wait for it. Owns the others. */
export class Team<Setup> {
  readonly signal: TeamSignal;
  readonly #workers: readonly Worker[];
  readonly #ended: readonly Promise<unknown>[];
  readonly #ports: readonly MessagePort[];
  readonly #slots = [jobWords(), jobWords()] as const;
  readonly #onLost: (error: Error) => void;
  #lost: Error | null = null;
  #closing: Promise<void> | null = null;

  constructor({ threads, entry, setup, onLost = endProcess, ...options }: TeamOptions<Setup>) {
    assert(threads === 1 || entry !== null, 'more than one thread needs a file that the others run');
    const ints = new Int32Array(new SharedArrayBuffer(signalInts(threads) * Int32Array.BYTES_PER_ELEMENT));
    this.signal = new TeamSignal({ ...options, ints, thread: 0, threads });
    this.#onLost = onLost;
    const channels = Array.from({ length: threads - 1 }, () => new MessageChannel());
    this.#ports = channels.map(({ port1 }) => port1);
    this.#workers = channels.map(({ port2 }, nth) => {
      const data: TeamThreadData<Setup> = { setup, seat: { signal: { ...options, ints, thread: nth + 1, threads }, slots: this.#slots, port: port2 } };
      const worker = new Worker(entry!, { workerData: data, transferList: [port2] });
      worker.on('error', (error: Error) => this.#lose(error));
      worker.unref();
      return worker;
    });
    this.#ended = this.#workers.map((worker) => new Promise((resolve) => void worker.once('exit', resolve)));
  }

  /** Runs a job on all threads, `own` being the calling one's share; blocks until it is done. Fails as one of them failed. */
  run(job: Job, own: () => void): void {
    assert(this.#closing === null, 'a team that is closed runs nothing');
    this.#begin(job);
    let failure: unknown = null;
    try {
      own();
    } catch (thrown) {
      this.signal.fail();
      failure = thrown;
    }
    try {
      if (this.signal.isEndShared) this.signal.awaitOthers();
    } catch (thrown) {
      throw this.#lose(thrown as SilentThread);
    }
    if (this.signal.hasFailed) throw this.#reason(failure);
  }

  /** The same message to all other threads; waits without blocking until they have taken it. */
  async tell(message: TeamMessage): Promise<void> {
    if (this.#ports.length === 0) return;
    for (const port of this.#ports) port.postMessage(message);
    this.#begin({ kind: 'messages' });
    // While it waits, and only then, a thread keeps the process alive.
    for (const worker of this.#workers) worker.ref();
    try {
      await this.signal.othersDone();
    } catch (thrown) {
      throw this.#lose(thrown as SilentThread);
    } finally {
      for (const worker of this.#workers) worker.unref();
    }
    if (this.signal.hasFailed) throw this.#reason(null);
  }

  /** Ends the other threads; nothing may run or be told meanwhile. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    if (this.#lost !== null) return;
    await this.tell({ kind: 'close' });
    for (const worker of this.#workers) worker.ref();
    await Promise.all(this.#ended);
  }

  #begin(job: Job | { readonly kind: 'messages' }): void {
    if (this.#lost !== null) throw this.#lost;
    writeJob(job, this.#slots[1 - this.signal.slot]!);
    this.signal.begin();
  }

  /** Why a job failed: what failed on the calling thread, else what another one reported. All reports are taken, so that none is left for a later job. */
  #reason(own: unknown): Error {
    const [report] = this.#ports.flatMap((port) => (receiveMessageOnPort(port)?.message as ErrorReport | undefined) ?? []);
    if (own instanceof Error && !(own instanceof FailedElsewhere)) return own;
    return report === undefined ? new FailedElsewhere() : AppError.reported(report);
  }

  #lose(error: Error): Error {
    this.#lost ??= error;
    this.#onLost(error);
    return error;
  }
}

const jobWords = (): Uint32Array => new Uint32Array(new SharedArrayBuffer(JOB_INTEGERS * Uint32Array.BYTES_PER_ELEMENT));

const endProcess = (error: Error): void =>
  void setImmediate(() => {
    throw error;
  });
