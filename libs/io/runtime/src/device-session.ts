import { InferenceSession, Tensor } from 'onnxruntime-node';
import { AppError, assert } from '@essaim/core';
import { type Device, deviceName } from './device.ts';
import { type OpenDevice } from './open-device.ts';

/**
 * Since 1.29 ONNX Runtime reports every session to Microsoft, and leaves an identifier, a cache and logs in the home and temporary folders.
 * It reads this when its first session is made, and then never again. https://github.com/microsoft/onnxruntime/pull/27379
 */
process.env['ORT_DISABLE_TELEMETRY'] = '1';

export type Feeds = Readonly<Record<string, Tensor>>;

export interface SessionSource {
  /** A model file, or a graph without weights. */
  readonly model: string | Uint8Array;
  /** Outputs that stay on the device, where the provider can leave them there; the others come to the host. */
  readonly onDevice: readonly string[];
}

/** One graph on a device. A run blocks its thread until the work is handed over, or done where an output comes to the host. */
export class DeviceSession {
  readonly #device: OpenDevice;
  readonly #session: InferenceSession;
  /** Runs under way: what they compute with can't be taken from them. */
  readonly #running = new Set<Promise<unknown>>();
  /** Outputs on the device that nobody has given up: ONNX Runtime takes back their buffers through the session that made them. */
  readonly #lent = new Set<Tensor>();
  #returned = Promise.withResolvers<void>();

  private constructor(device: OpenDevice, session: InferenceSession) {
    this.#device = device;
    this.#session = session;
  }

  /** Puts the weights on the device. Fails with `data_loss` for a file that can't be loaded, `resource_exhausted` where the device is full, `unavailable` without the device. */
  static async open(opened: OpenDevice, { model, onDevice }: SessionSource): Promise<DeviceSession> {
    const open = (options: InferenceSession.SessionOptions): Promise<InferenceSession> => (typeof model === 'string' ? InferenceSession.create(model, options) : InferenceSession.create(model, options));
    const { device } = opened;
    opened.assertThere();
    try {
      return new DeviceSession(opened, await open(sessionOptions(device, onDevice)));
    } catch (cause) {
      const error = opened.errorOf(cause);
      if (error.code !== 'internal') throw error;
      if (typeof model !== 'string') throw new AppError('unavailable', `the device ${deviceName(device)} can't be used: see \`essaim devices\` for what it lacks`, { cause });
      throw new AppError('data_loss', 'a compiled graph in the cache can\'t be loaded: delete the cache folder in the state folder and start again', { cause });
    }
  }

  /** The outputs, the caller's to dispose of. Inputs stay the caller's. */
  async run(feeds: Feeds): Promise<Readonly<Record<string, Tensor>>> {
    this.#device.assertThere();
    // The binding runs in a turn of the event loop of its own, and what is queued before it comes right before it.
    let beganMs = performance.now();
    setImmediate(() => (beganMs = performance.now()));
    const run = this.#session.run(feeds);
    this.#running.add(run);
    try {
      const outputs = await run;
      this.#device.count({ tookMs: performance.now() - beganMs, uploadedBytes: hostBytes(feeds), downloadedBytes: hostBytes(outputs) });
      for (const tensor of Object.values(outputs)) if (tensor.location !== 'cpu') this.#lend(tensor);
      return outputs;
    } catch (thrown) {
      throw this.#device.errorOf(thrown);
    } finally {
      this.#running.delete(run);
    }
  }

  /** Frees the weights once the runs under way are done and all that they left on the device is given up; none may begin any more. The memory of a lost device is gone already. */
  async release(): Promise<void> {
    await Promise.allSettled(this.#running);
    if (this.#device.isLost) return;
    if (this.#lent.size > 0) await this.#returned.promise;
    await this.#session.release().catch((thrown: unknown) => {
      throw this.#device.errorOf(thrown);
    });
  }

  #lend(tensor: Tensor): void {
    if (this.#lent.size === 0) this.#returned = Promise.withResolvers();
    this.#lent.add(tensor);
    const dispose = tensor.dispose.bind(tensor);
    tensor.dispose = () => {
      dispose();
      this.#lent.delete(tensor);
      if (this.#lent.size === 0) this.#returned.resolve();
    };
  }
}

/** Of those tensors that are the host's. */
const hostBytes = (tensors: Feeds): number => Object.values(tensors).reduce((sum, tensor) => sum + (tensor.location === 'cpu' ? (tensor.data as ArrayBufferView).byteLength : 0), 0);

/** Only WebGPU's tensors can stay on the device between runs: the binding knows no others. */
export const staysOnDevice = ({ provider }: Device): boolean => provider === 'webgpu';

function sessionOptions(device: Device, onDevice: readonly string[]): InferenceSession.SessionOptions {
  return {
    executionProviders: [providerOf(device)],
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    interOpNumThreads: 1,
    intraOpNumThreads: 1,
    logSeverityLevel: 4,
    ...(staysOnDevice(device) && { preferredOutputLocation: Object.fromEntries(onDevice.map((name) => [name, 'gpu-buffer'])) }),
    // A node that only the processor knows would carry every value of its graph through the host: that is to fail where it is built.
    extra: { session: { ...(device.provider !== 'cpu' && { disable_cpu_ep_fallback: '1' }), intra_op: { allow_spinning: '0' } } },
  };
}

function providerOf({ provider, index }: Device): InferenceSession.ExecutionProviderConfig {
  return provider === 'cuda' || provider === 'tensorrt' ? { name: provider, deviceId: index } : provider;
}

/** A tensor of the host, read in place when it is used. */
export const floats = (values: Float32Array, dims: readonly number[]): Tensor => new Tensor('float32', values, dims);
export const longs = (values: ArrayLike<number>): Tensor => new Tensor('int64', BigInt64Array.from(Array.from(values), BigInt), [values.length]);

/** Of an output that came to the host. */
export function hostFloats({ data }: Tensor): Float32Array {
  assert(data instanceof Float32Array, 'graphs put out float32');
  return data;
}
