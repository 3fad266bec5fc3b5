import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { AppError, type ErrorReport, type ModelSpec } from '@essaim/core';
import { type KvBuffer, type KvCache } from '@essaim/kv';
import { type ComputeJob, JOB_INTEGERS, writeJob } from './compute-job.ts';
import { awaitValue, DONE, following, JOB_NUMBER, set, valueOf } from './compute-signal.ts';
import { type ComputeMessage, type ComputeThreadData } from './compute-thread.ts';

export interface ComputeThreadsOptions {
  readonly spec: ModelSpec;
  /** Slices of the model: the serving thread has the first, each thread here one of the others. */
  readonly slices: number;
  /** Inside one operator. */
  readonly threads: number;
  /** The file that a thread runs: it calls `runComputeThread`. */
  readonly entry: URL;
}

/** The threads that compute all slices but the first. They do one job at a time, all the same one, beside the serving thread. */
export class ComputeThreads {
  readonly #workers: readonly Worker[];
  readonly #ports: readonly MessagePort[];
  readonly #signal: Int32Array;
  readonly #job = new Int32Array(new SharedArrayBuffer(JOB_INTEGERS * Int32Array.BYTES_PER_ELEMENT));
  readonly #caches = new Map<number, { readonly cache: WeakRef<KvCache>; readonly buffer: WeakRef<KvBuffer> }>();
  #arena = new Float32Array(new SharedArrayBuffer(0));
  #number = 0;

  constructor({ spec, slices, threads, entry }: ComputeThreadsOptions) {
    this.#signal = new Int32Array(new SharedArrayBuffer((DONE + slices) * Int32Array.BYTES_PER_ELEMENT));
    const channels = Array.from({ length: slices - 1 }, () => new MessageChannel());
    this.#ports = channels.map(({ port1 }) => port1);
    this.#workers = channels.map(({ port2 }, nth) => {
      const data: ComputeThreadData = { spec, slice: { index: nth + 1, of: slices }, threads, signal: this.#signal, job: this.#job, port: port2 };
      const worker = new Worker(entry, { workerData: data, transferList: [port2] });
      // Nothing could go on without it: the process ends, and the cluster serves without this worker.
      worker.on('error', (error) => {
        throw error;
      });
      worker.unref();
      return worker;
    });
  }

  get count(): number {
    return this.#ports.length;
  }

  /** Shared floats for a job's inputs and outputs, at least `length`; what is in them lasts until the next call. */
  async arena(length: number): Promise<Float32Array> {
    if (this.#arena.length < length) {
      this.#arena = new Float32Array(new SharedArrayBuffer(Math.ceil(length * 1.5) * Float32Array.BYTES_PER_ELEMENT));
      await this.tell({ kind: 'arena', floats: this.#arena });
    }
    return this.#arena;
  }

  /** Makes caches known that are not yet, or that have moved; forgets those that are gone. */
  async share(caches: readonly KvCache[]): Promise<void> {
    const moved = caches.filter((cache) => this.#caches.get(cache.id)?.buffer.deref() !== cache.buffer);
    if (moved.length === 0) return;
    const gone = [...this.#caches].filter(([, { cache }]) => cache.deref()?.isClosed ?? true).map(([id]) => id);
    for (const id of gone) this.#caches.delete(id);
    for (const cache of moved) this.#caches.set(cache.id, { cache: new WeakRef(cache), buffer: new WeakRef(cache.buffer) });
    await this.tell({ kind: 'forget', ids: gone }, ...moved.map((cache): ComputeMessage => ({ kind: 'cache', id: cache.id, buffer: cache.buffer })));
  }

  /** The same to all of them; waits without blocking until they have done it. */
  tell(...messages: readonly ComputeMessage[]): Promise<void> {
    return this.tellEach(() => messages);
  }

  /** By slice: 1 and up. */
  async tellEach(messagesFor: (slice: number) => readonly ComputeMessage[]): Promise<void> {
    this.#ports.forEach((port, nth) => {
      for (const message of messagesFor(nth + 1)) port.postMessage(message);
    });
    this.#start({ kind: 'messages' });
    // While it waits, and only then, a thread keeps the process alive.
    for (const worker of this.#workers) worker.ref();
    try {
      for (let slice = 1; slice <= this.count; slice++) await valueOf(this.#signal, DONE + slice, this.#number);
    } finally {
      for (const worker of this.#workers) worker.unref();
    }
    this.#throwFailure();
  }

  /** Lets them begin; the caller does its own part and then calls `finish`. */
  begin(job: ComputeJob): void {
    this.#start(job);
  }

  /** Blocks until all have done the job that was begun. Fails as the first of them failed. */
  finish(): void {
    for (let slice = 1; slice <= this.count; slice++) awaitValue(this.#signal, DONE + slice, this.#number);
    this.#throwFailure();
  }

  #start(job: ComputeJob): void {
    writeJob(job, this.#job);
    this.#number = following(this.#number);
    set(this.#signal, JOB_NUMBER, this.#number);
  }

  #throwFailure(): void {
    // All are taken, so that none is left for a later job.
    const [failure] = this.#ports.flatMap((port) => (receiveMessageOnPort(port)?.message as ErrorReport | undefined) ?? []);
    if (failure !== undefined) throw AppError.reported(failure);
  }
}
