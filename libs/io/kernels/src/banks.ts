import { open } from 'node:fs/promises';
import { AppError, assert } from '@essaim/core';
import { type KvMemory } from '@essaim/kv';
import { Bank } from './bank.ts';
import { type BankView } from './program-context.ts';
import { bankView } from './team-thread.ts';

/** A piece in memory: the number of its bank, and its address there. */
export interface Placed {
  readonly bank: number;
  readonly at: number;
}

/** Read at once: no thread of the pool that reads files is taken for long. */
const CHUNK_BYTES = 4 << 20;

/** The memories of a model. Weights, and keys and values, are in different ones; there is another one whenever the others are full. */
export class Banks {
  readonly #module: WebAssembly.Module;
  readonly #arenaBytes: number;
  readonly #banks: { readonly bank: Bank; readonly view: BankView; readonly holds: 'weights' | 'keys and values' }[] = [];
  readonly #byBuffer = new Map<ArrayBufferLike, number>();
  /** Banks that the other threads know. */
  #shared = 0;

  constructor(module: WebAssembly.Module, arenaBytes: number) {
    this.#module = module;
    this.#arenaBytes = arenaBytes;
  }

  view(bank: number): BankView {
    return this.#banks[bank]!.view;
  }

  /** Banks that the other threads don't know yet, in order; from now on they are taken to know them. */
  unshared(): WebAssembly.Memory[] {
    const found = this.#banks.slice(this.#shared).map(({ bank }) => bank.memory);
    this.#shared = this.#banks.length;
    return found;
  }

  /** A file of so many bytes, in memory. */
  async load(file: string, bytes: number): Promise<Placed> {
    const placed = this.#take('weights', bytes);
    try {
      await read(file, new Uint8Array(this.view(placed.bank).floats.buffer, placed.at, bytes));
      return placed;
    } catch (thrown) {
      this.free(placed);
      throw thrown;
    }
  }

  free({ bank, at }: Placed): void {
    this.#banks[bank]!.bank.give(at);
  }

  readonly kvMemory: KvMemory = {
    take: (count) => {
      const { bank, at } = this.#take('keys and values', 4 * count);
      return new Float32Array(this.view(bank).floats.buffer, at, count);
    },
    give: (floats) => this.free(this.kvPlace(floats)),
  };

  /** Of floats that `kvMemory` gave. */
  kvPlace(floats: Float32Array<ArrayBufferLike>): Placed {
    const bank = this.#byBuffer.get(floats.buffer);
    assert(bank !== undefined, 'keys and values lie in a bank');
    return { bank, at: floats.byteOffset };
  }

  #take(holds: 'weights' | 'keys and values', bytes: number): Placed {
    for (const [nth, each] of this.#banks.entries()) {
      const at = each.holds === holds ? each.bank.take(bytes) : null;
      if (at !== null) return { bank: nth, at };
    }
    const bank = new Bank(this.#arenaBytes);
    const at = bank.take(bytes);
    if (at === null) throw new AppError('resource_exhausted', `${bytes} bytes of a model's weights can't be addressed as one: at most 4 GiB can, less what is computed beside them`);
    const view = bankView(this.#module, bank.memory);
    view.kernels.initConstants();
    this.#byBuffer.set(view.floats.buffer, this.#banks.push({ bank, view, holds }) - 1);
    return { bank: this.#banks.length - 1, at };
  }
}

async function read(file: string, into: Uint8Array): Promise<void> {
  const damaged = (cause?: unknown): AppError => new AppError('data_loss', 'a compiled piece in the cache can\'t be loaded: delete the cache folder in the state folder and start again', { cause });
  const handle = await open(file).catch((cause: unknown) => Promise.reject(damaged(cause)));
  try {
    const { size } = await handle.stat();
    if (size !== into.length) throw damaged();
    for (let at = 0; at < into.length; ) {
      const { bytesRead } = await handle.read(into, at, Math.min(CHUNK_BYTES, into.length - at), at);
      if (bytesRead === 0) throw damaged();
      at += bytesRead;
    }
  } finally {
    await handle.close();
  }
}
