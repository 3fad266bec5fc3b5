import { type ModelSpec } from '@essaim/core';
import { addGraph, amongGraph, attentionOf, blockMaximaGraph, collectGraph, copyGraph, joinGraph, putGraph, regroupGraph, singlesGraph, squaresGraph, takeBlocksGraph, takeBothGraph, takeGraph } from '@essaim/graph';
import { DeviceSession, type SessionSource } from './device-session.ts';
import { type OpenDevice } from './open-device.ts';

/** What one graph takes of tensors of one kind, such as the keys of sequences; more take several. */
export const TENSORS_AT_ONCE = 8;

/** The graphs without weights, each opened when it is first asked for. There are few: their names say all that differs. */
export class PlainGraphs {
  readonly #device: OpenDevice;
  readonly #spec: ModelSpec;
  readonly #sessions = new Map<string, Promise<DeviceSession>>();

  constructor(device: OpenDevice, spec: ModelSpec) {
    this.#device = device;
    this.#spec = spec;
  }

  /** @see `addGraph` */
  add(): Promise<DeviceSession> {
    return this.#session('add', () => ({ model: addGraph(this.#spec.hiddenSize), onDevice: ['sum'] }));
  }

  /** @see `takeBothGraph` */
  takeBoth(): Promise<DeviceSession> {
    return this.#session('take both', () => ({ model: takeBothGraph(this.#spec.hiddenSize), onDevice: ['takenNormed', 'takenNext'] }));
  }

  /** @see `putGraph` */
  put(): Promise<DeviceSession> {
    return this.#session('put', () => ({ model: putGraph(this.#spec.hiddenSize), onDevice: ['sum'] }));
  }

  /** To the host. @see `collectGraph` */
  collect(count: number): Promise<DeviceSession> {
    return this.#session(`collect ${count}`, () => ({ model: collectGraph(this.#spec.hiddenSize, count), onDevice: [] }));
  }

  /** @see `takeGraph`; what is taken comes to the host. */
  take(): Promise<DeviceSession> {
    return this.#session('take', () => ({ model: takeGraph(this.#spec.hiddenSize), onDevice: [] }));
  }

  /** Of logits; what is taken comes to the host. @see `takeGraph` */
  takeLogits(): Promise<DeviceSession> {
    return this.#session('take logits', () => ({ model: takeGraph(this.#spec.vocabSize), onDevice: [] }));
  }

  /** @see `blockMaximaGraph` */
  blockMaxima(): Promise<DeviceSession> {
    return this.#session('block maxima', () => ({ model: blockMaximaGraph(this.#spec.vocabSize), onDevice: [] }));
  }

  /** @see `takeBlocksGraph` */
  takeBlocks(): Promise<DeviceSession> {
    return this.#session('take blocks', () => ({ model: takeBlocksGraph(this.#spec.vocabSize), onDevice: [] }));
  }

  /** @see `squaresGraph` */
  squares(): Promise<DeviceSession> {
    return this.#session('squares', () => ({ model: squaresGraph(this.#spec.hiddenSize), onDevice: [] }));
  }

  /** From the host to the device. @see `copyGraph` */
  copy(ranks: readonly number[]): Promise<DeviceSession> {
    return this.#session(`copy ${ranks.join(' ')}`, () => ({ model: copyGraph(ranks), onDevice: ranks.map((_, nth) => `output.${nth}`) }));
  }

  /** Of at most `TENSORS_AT_ONCE`. @see `amongGraph` */
  among(count: number, whole: boolean): Promise<DeviceSession> {
    const names = Array.from({ length: count }, (_, nth) => this.#kept.map((name) => `${name}.${nth}.now`)).flat();
    return this.#session(`among ${count} ${whole}`, () => ({ model: amongGraph(this.#spec, { count, whole }), onDevice: ['attended', ...names] }));
  }

  /** @see `singlesGraph` */
  singles(kind: { readonly whole: boolean; readonly masked: boolean }): Promise<DeviceSession> {
    const { whole, masked } = kind;
    return this.#session(`singles ${whole} ${masked}`, () => ({ model: singlesGraph(this.#spec, kind), onDevice: ['attended', ...this.#kept.map((name) => `${name}.now`)] }));
  }

  /** Of at most `TENSORS_AT_ONCE` sources. @see `regroupGraph` */
  regroup(count: number): Promise<DeviceSession> {
    return this.#session(`regroup ${count}`, () => ({ model: regroupGraph(this.#spec, count), onDevice: this.#kept }));
  }

  /** @see `joinGraph` */
  join(count: number): Promise<DeviceSession> {
    return this.#session(`join ${count}`, () => ({ model: joinGraph(this.#spec, count), onDevice: ['output'] }));
  }

  get #kept(): readonly string[] {
    return attentionOf(this.#spec).kept.map(({ name }) => name);
  }

  async close(): Promise<void> {
    for (const session of this.#sessions.values()) await (await session).release();
    this.#sessions.clear();
  }

  #session(name: string, source: () => SessionSource): Promise<DeviceSession> {
    const known = this.#sessions.get(name);
    if (known !== undefined) return known;
    const opened = DeviceSession.open(this.#device, source());
    this.#sessions.set(name, opened);
    // One that failed is asked for anew.
    opened.catch(() => this.#sessions.delete(name));
    return opened;
  }
}
