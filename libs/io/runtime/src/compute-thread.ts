import { type MessagePort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { AppError, assert, type ModelSpec, rotarySizeOf } from '@essaim/core';
import { type KvBuffer } from '@essaim/kv';
import { type Slice } from '@essaim/quantise';
import { type Visibility } from '@essaim/runner';
import { type AttendJob, type ComputeJob, feedForwardName, readJob } from './compute-job.ts';
import { awaitChange, DONE, JOB_NUMBER, set } from './compute-signal.ts';
import { ModelSlice, type SliceSpan, visibilitiesOf } from './model-slice.ts';

/** What a compute thread begins with. */
export interface ComputeThreadData {
  readonly spec: ModelSpec;
  readonly slice: Slice;
  readonly threads: number;
  /** Job numbers, see compute-signal. */
  readonly signal: Int32Array;
  readonly job: Int32Array;
  readonly port: MessagePort;
}

export type ComputeMessage =
  | { readonly kind: 'load'; readonly name: string; readonly modelFile: string }
  | { readonly kind: 'unload'; readonly name: string }
  | { readonly kind: 'arena'; readonly floats: Float32Array }
  | { readonly kind: 'cache'; readonly id: number; readonly buffer: KvBuffer }
  | { readonly kind: 'forget'; readonly ids: readonly number[] }
  | { readonly kind: 'close' };

/** The life of a thread that computes one slice: the entry file of a thread calls this and nothing else. */
export async function runComputeThread(): Promise<void> {
  const thread = new ComputeThread(workerData as ComputeThreadData);
  await thread.run();
}

class ComputeThread {
  readonly #data: ComputeThreadData;
  readonly #slice: ModelSlice;
  readonly #caches = new Map<number, KvBuffer>();
  #arena = new Float32Array(0);
  #step: { readonly id: number; readonly visibilities: readonly Visibility[] } = { id: 0, visibilities: [] };
  #isClosed = false;

  constructor(data: ComputeThreadData) {
    this.#data = data;
    this.#slice = new ModelSlice(data);
  }

  async run(): Promise<void> {
    const { signal, slice, port } = this.#data;
    for (let done = 0; !this.#isClosed; ) {
      done = awaitChange(signal, JOB_NUMBER, done);
      try {
        await this.#perform(readJob(this.#data.job));
      } catch (thrown) {
        port.postMessage(AppError.from(thrown).report());
      }
      set(signal, DONE + slice.index, done);
    }
    port.close();
  }

  async #perform(job: ComputeJob): Promise<void> {
    switch (job.kind) {
      case 'messages':
        for (let next = this.#message(); next !== null; next = this.#message()) await this.#take(next);
        return;
      case 'attend':
        return this.#attend(job);
      case 'feed-forward': {
        const { hiddenSize } = this.#data.spec;
        const groups = job.groups.map(({ expert, rows, inputAt }) => ({ name: feedForwardName(job.layer, expert), activations: this.#floats(inputAt, rows * hiddenSize) }));
        let at = this.#outputAt(job);
        for (const output of await this.#slice.feedForward(groups)) {
          this.#arena.set(output, at);
          at += output.length;
        }
        return;
      }
      case 'head':
        this.#arena.set(await this.#slice.head(this.#floats(job.inputAt, job.rows * this.#data.spec.hiddenSize)), this.#outputAt(job));
    }
  }

  async #attend(job: AttendJob): Promise<void> {
    const { hiddenSize, attention, queryScaling } = this.#data.spec;
    const anglesSize = (job.rows * rotarySizeOf(attention)) / 2;
    const spans = job.spans.map(({ cacheId, ...span }): SliceSpan => {
      const buffer = this.#caches.get(cacheId);
      assert(buffer, 'a compute thread is told of a cache before it uses it');
      return { ...span, buffer };
    });
    if (this.#step.id !== job.stepId) this.#step = { id: job.stepId, visibilities: visibilitiesOf(this.#data.spec, spans, job.even) };
    const queryScale = queryScaling === null ? null : this.#floats(job.queryScaleAt, job.rows);
    const added = await this.#slice.attend(job.layer, this.#floats(job.hiddenAt, job.rows * hiddenSize), {
      angles: { cos: this.#floats(job.cosAt, anglesSize), sin: this.#floats(job.sinAt, anglesSize), queryScale }, spans, even: job.even, visibilities: this.#step.visibilities,
    });
    this.#arena.set(added, this.#outputAt(job));
  }

  /** The serving thread has slice 0 and no place in the arena. */
  #outputAt({ output }: Extract<ComputeJob, { output: unknown }>): number {
    return output.at + (this.#data.slice.index - 1) * output.stride;
  }

  #floats(at: number, length: number): Float32Array {
    return this.#arena.subarray(at, at + length);
  }

  #message(): ComputeMessage | null {
    return (receiveMessageOnPort(this.#data.port)?.message as ComputeMessage | undefined) ?? null;
  }

  async #take(message: ComputeMessage): Promise<void> {
    switch (message.kind) {
      case 'load':
        return this.#slice.load(message.name, message.modelFile);
      case 'unload':
        return this.#slice.unload(message.name);
      case 'arena':
        this.#arena = message.floats as Float32Array<ArrayBuffer>;
        return;
      case 'cache':
        this.#caches.set(message.id, message.buffer);
        return;
      case 'forget':
        for (const id of message.ids) this.#caches.delete(id);
        return;
      case 'close':
        this.#isClosed = true;
        return this.#slice.close();
    }
  }
}
