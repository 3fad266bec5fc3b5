import { InferenceSession, Tensor } from 'onnxruntime-node';
import { AppError, assert } from '@essaim/core';

/**
 * Since 1.29 ONNX Runtime reports every session to Microsoft, and leaves an identifier, a cache and logs in the home and temporary folders.
 * It reads this when its first session is made, and then never again. https://github.com/microsoft/onnxruntime/pull/27379
 */
process.env['ORT_DISABLE_TELEMETRY'] = '1';

/** An input: float32 or token ids, row-major, with its shape. The memory is read in place, not copied. */
export interface Input {
  readonly data: Float32Array | BigInt64Array;
  readonly dims: readonly number[];
}

export interface SessionOptions {
  /** Threads inside one operator. */
  readonly threads: number;
}

/** One graph, ready to run. `run` computes on the calling thread, a turn of the event loop later. */
export class OnnxSession {
  readonly #session: InferenceSession;
  /** Runs under way: what they compute with can't be taken from them. */
  readonly #running = new Set<Promise<unknown>>();

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  /** Maps and prepares the weights; this blocks the thread. Fails with `data_loss` for a file that can't be loaded. */
  static async load(modelFile: string, { threads }: SessionOptions): Promise<OnnxSession> {
    try {
      return new OnnxSession(await InferenceSession.create(modelFile, sessionOptions(threads)));
    } catch (cause) {
      throw new AppError('data_loss', 'a compiled graph in the cache can\'t be loaded: delete the cache folder in the state folder and start again', { cause });
    }
  }

  /** Every output of the graph as float32, owned by the caller. */
  async run(inputs: Readonly<Record<string, Input>>): Promise<Readonly<Record<string, Float32Array>>> {
    const feeds: Record<string, Tensor> = {};
    for (const [name, { data, dims }] of Object.entries(inputs)) {
      feeds[name] = data instanceof Float32Array ? new Tensor('float32', data, dims) : new Tensor('int64', data, dims);
    }
    const results = await this.#tracked(this.#session.run(feeds));
    const outputs: Record<string, Float32Array> = {};
    for (const [name, { data }] of Object.entries(results)) {
      assert(data instanceof Float32Array, 'graphs put out float32');
      outputs[name] = data;
    }
    return outputs;
  }

  /** Frees the weights once the runs under way are done; none may begin any more. */
  async release(): Promise<void> {
    await Promise.allSettled(this.#running);
    await this.#session.release();
  }

  async #tracked<T>(run: Promise<T>): Promise<T> {
    this.#running.add(run);
    try {
      return await run;
    } finally {
      this.#running.delete(run);
    }
  }
}

/**
 * Every session owns a pool of threads, so they must not spin: hundreds of sessions on few cores would only wait for each other.
 * For the same reason none keeps an arena: what one prompt needed would stay with every graph for ever.
 */
const sessionOptions = (threads: number): InferenceSession.SessionOptions => ({
  executionProviders: ['cpu'],
  graphOptimizationLevel: 'all',
  executionMode: 'sequential',
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
  enableCpuMemArena: false,
  logSeverityLevel: 3,
  extra: { session: { intra_op: { allow_spinning: '0' } } },
});
