import { type Tensor } from 'onnxruntime-node';
import { AppError, assert, type DeviceUse, type ExpertKey, type ModelSpec } from '@essaim/core';
import { type ExpertGroup, type ExpertRunner } from '@essaim/dispatch';
import { attentionOf, type PieceKey, pieceName } from '@essaim/graph';
import { kvBytesPerToken, kvLayoutOf, type KvMemory } from '@essaim/kv';
import { type DevicePieces, type DeviceState } from '@essaim/runner';
import { type Device } from './device.ts';
import { DeviceAttention } from './device-attention.ts';
import { DeviceKeys } from './device-keys.ts';
import { type DeviceRoom, mostTokens } from './device-room.ts';
import { DeviceSession, floats, hostFloats, longs, staysOnDevice } from './device-session.ts';
import { columnOf, DeviceStep } from './device-step.ts';
import { OpenDevice } from './open-device.ts';
import { type PieceFile } from './piece-file.ts';
import { PlainGraphs, TENSORS_AT_ONCE } from './plain-graphs.ts';

export interface DeviceModelOptions {
  readonly spec: ModelSpec;
  readonly device: Device;
  /** What bounds a sequence. Default: nothing. */
  readonly room?: Pick<DeviceRoom, 'tensorBytes' | 'stepRows'>;
}

/** Numbers of rows that quantised products have kernels of their own for: one, a few, and tiles. */
const REHEARSED_ROWS = [1, 2, 4];

interface ExpertRun {
  readonly session: DeviceSession;
  /** [rows, hidden] */
  readonly activations: Float32Array;
}

interface Loaded {
  readonly file: PieceFile;
  readonly sessions: readonly DeviceSession[];
}

/** The pieces of a model that this process holds on a device, dense part and experts alike, run by ONNX Runtime. Owns their sessions and all that is on the device. */
export class DeviceModel implements DevicePieces, ExpertRunner {
  readonly #spec: ModelSpec;
  readonly #device: OpenDevice;
  readonly #processor = new OpenDevice({ provider: 'cpu', index: 0 });
  readonly #mostTokens: number;
  readonly #graphs: PlainGraphs;
  readonly #keys: DeviceKeys;
  readonly #attention: DeviceAttention;
  readonly #loaded = new Map<string, Loaded>();
  #isRehearsed = false;

  private constructor({ spec, device, room }: DeviceModelOptions) {
    this.#spec = spec;
    this.#device = new OpenDevice(device);
    this.#mostTokens = room === undefined ? Number.MAX_SAFE_INTEGER : mostTokens(spec, room);
    this.#graphs = new PlainGraphs(this.#device, spec);
    this.#keys = new DeviceKeys(spec, this.#graphs);
    this.#attention = new DeviceAttention(spec, this.#graphs, this.#keys);
  }

  /** Fails with `unavailable` where there is no such device. */
  static async open(options: DeviceModelOptions): Promise<DeviceModel> {
    const model = new DeviceModel(options);
    await model.#graphs.take();
    return model;
  }

  /** Where the keys and values of its sequences are: on the device, float32. */
  get kvMemory(): KvMemory {
    return { mostBytes: this.#mostTokens * kvBytesPerToken({ ...kvLayoutOf(this.#spec, 'f32'), layerCount: 1 }), take: () => new Uint8Array(0), give: () => undefined, device: this.#keys };
  }

  /** What was asked of the device so far. */
  get use(): DeviceUse {
    return this.#device.use;
  }

  /** Bytes of weights that are loaded. */
  get weightBytes(): number {
    return [...this.#loaded.values()].reduce((sum, { file: { weightBytes } }) => sum + weightBytes, 0);
  }

  has(piece: PieceKey): boolean {
    return this.#loaded.has(pieceName(piece));
  }

  pieces(): PieceKey[] {
    return [...this.#loaded.values()].map(({ file: { key } }) => key);
  }

  /** Puts the weights of a piece on the device; this blocks the thread. */
  async load(file: PieceFile): Promise<void> {
    const { key, modelFiles } = file;
    if (this.has(key)) return;
    // Rows of the embedding table are looked up where the token ids are: it would take much of the device's memory for next to no work.
    const device = key.kind === 'embed' ? this.#processor : this.#device;
    const sessions: DeviceSession[] = [];
    try {
      for (const [nth, model] of modelFiles.entries()) sessions.push(await DeviceSession.open(device, { model, onDevice: this.#onDevice(key)[nth]! }));
      if (key.kind === 'expert') await this.#rehearse(sessions[0]!);
    } catch (thrown) {
      for (const session of sessions) await session.release();
      throw thrown;
    }
    // Another call may have loaded it meanwhile.
    if (this.has(key)) for (const session of sessions) await session.release();
    else this.#loaded.set(pieceName(key), { file, sessions });
  }

  async unload(piece: PieceKey): Promise<void> {
    // From now on nobody is sent here.
    const loaded = this.#loaded.get(pieceName(piece));
    this.#loaded.delete(pieceName(piece));
    for (const session of loaded?.sessions ?? []) await session.release();
  }

  async close(): Promise<void> {
    for (const piece of this.pieces()) await this.unload(piece);
    this.#keys.close();
    await this.#graphs.close();
  }

  async begin(tokenIds: readonly number[]): Promise<DeviceState> {
    const embed = this.#loaded.get('embed');
    assert(embed, 'embed is loaded before it runs');
    const rows = hostFloats((await embed.sessions[0]!.run({ ids: longs(tokenIds) }))['hidden']!);
    const { 'output.0': hidden } = await (await this.#graphs.copy([2])).run({ 'values.0': floats(rows, [tokenIds.length, this.#spec.hiddenSize]) });
    return new DeviceStep({ spec: this.#spec, graphs: this.#graphs, attention: this.#attention, mostTokens: this.#mostTokens, piece: (name) => this.#loaded.get(name)?.sessions ?? null, staysOnDevice: staysOnDevice(this.#device.device) }, hidden!);
  }

  holds(key: ExpertKey): boolean {
    return this.has({ kind: 'expert', ...key });
  }

  async run(layer: number, groups: readonly ExpertGroup[]): Promise<Float32Array[]> {
    const found = groups.map(({ expert, activations }) => {
      const loaded = this.#loaded.get(pieceName({ kind: 'expert', layer, expert }));
      if (loaded === undefined) throw new AppError('failed_precondition', `expert ${expert} of layer ${layer} is not on this worker`);
      return { session: loaded.sessions[0]!, activations };
    });
    return this.#runAll(found);
  }

  async #runAll(experts: readonly ExpertRun[]): Promise<Float32Array[]> {
    const { hiddenSize } = this.#spec;
    const next = floats(new Float32Array(hiddenSize), [1, hiddenSize]);
    const gates = { gates: floats(Float32Array.of(1), [1, 1]), ...columnOf(0) };
    // All are asked for at once: what runs stays loaded.
    const runs = await Promise.allSettled(experts.map(({ session, activations }) => session.run({ normed: floats(activations, [activations.length / hiddenSize, hiddenSize]), next, ...gates })));
    const sums = runs.flatMap((run) => (run.status === 'fulfilled' ? [run.value['sum']!] : []));
    try {
      for (const run of runs) if (run.status === 'rejected') throw run.reason;
      return await this.#toHost(sums);
    } finally {
      for (const sum of sums) sum.dispose();
    }
  }

  /** Runs the first expert before it is said to be here: a driver takes seconds to compile what all experts run, as long as a lead waits for one. */
  async #rehearse(session: DeviceSession): Promise<void> {
    if (this.#isRehearsed) return;
    for (const rows of REHEARSED_ROWS) await this.#runAll([{ session, activations: new Float32Array(rows * this.#spec.hiddenSize) }]);
    this.#isRehearsed = true;
  }

  /** Of each graph of a piece. */
  #onDevice({ kind }: PieceKey): readonly (readonly string[])[] {
    switch (kind) {
      case 'layer':
        return [attentionOf(this.#spec).projected.map(({ name }) => name), ['next', 'normed']];
      case 'dense':
      case 'expert':
        return [['sum']];
      case 'head':
        return [['logits']];
      case 'embed':
        return [[]];
    }
  }

  /** Of matrices with `hiddenSize` columns. */
  async #toHost(sums: readonly Tensor[]): Promise<Float32Array[]> {
    if (!staysOnDevice(this.#device.device)) return sums.map(hostFloats);
    const values: Float32Array[] = [];
    for (let first = 0; first < sums.length; first += TENSORS_AT_ONCE) {
      const some = sums.slice(first, first + TENSORS_AT_ONCE);
      const { output } = await (await this.#graphs.collect(some.length)).run(Object.fromEntries(some.map((sum, nth) => [`values.${nth}`, sum])));
      let begin = 0;
      for (const { size } of some) values.push(hostFloats(output!).subarray(begin, (begin += size)));
    }
    return values;
  }
}
