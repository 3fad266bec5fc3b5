import { open } from 'node:fs/promises';
import { AppError, assert } from '@essaim/core';
import { type KvMemory } from '@essaim/kv';
import { Bank, type BankSize, bankView, roomOf, type BankView } from './bank.ts';
import { useHugePages } from './huge-pages.ts';

/** A piece in memory: the number of its bank, and its address there. */
export interface Placed {
  readonly bank: number;
  readonly at: number;
}

/** What a bank is for. */
type Kept = 'weights' | 'keys and values';

/** Read at once: no thread of the pool that reads files is taken for long. */
const CHUNK_BYTES = 4 << 20;

/** The memories of a model. Weights, and keys and values, are in different ones; there is another one whenever the others are full. */
export class Banks {
  readonly #module: WebAssembly.Module;
  readonly #size: BankSize;
  readonly #banks: { readonly bank: Bank; readonly view: BankView; readonly keeps: Kept; /** Settles when it may be written to. */ readonly prepared: Promise<void> }[] = [];
  readonly #byBuffer = new Map<ArrayBufferLike, number>();
  /** Banks that the other threads know. */
  #shared = 0;

  #isClosed = false;

  readonly kvMemory: KvMemory;

  constructor(module: WebAssembly.Module, size: BankSize) {
    this.#module = module;
    this.#size = size;
    this.kvMemory = {
      mostBytes: roomOf(size),
      take: (bytes) => {
        const { bank, at } = this.#take('keys and values', bytes);
        return new Uint8Array(this.view(bank).floats.buffer, at, bytes);
      },
      give: (bytes) => {
        if (!this.#isClosed) this.free(this.kvPlace(bytes));
      },
    };
  }

  view(bank: number): BankView {
    return this.#banks[bank]!.view;
  }

  /** Bytes in use. */
  taken(keeps: Kept): number {
    return this.#banks.reduce((sum, each) => sum + (each.keeps === keeps ? each.bank.taken : 0), 0);
  }

  /** The first bank that the other threads don't know yet; null where they know all. */
  get unshared(): { readonly bank: number; readonly memory: WebAssembly.Memory } | null {
    const found = this.#banks[this.#shared];
    return found === undefined ? null : { bank: this.#shared, memory: found.bank.memory };
  }

  /** The other threads know that one now. */
  share(): void {
    this.#shared++;
  }

  /** A file of so many bytes, in memory. Fails with `data_loss` for one of another length, or that can't be read. */
  async load(file: string, bytes: number): Promise<Placed> {
    const placed = this.#take('weights', bytes);
    try {
      await this.#banks[placed.bank]!.prepared;
      await read(file, new Uint8Array(this.view(placed.bank).floats.buffer, placed.at, bytes));
      return placed;
    } catch (cause) {
      this.free(placed);
      throw new AppError('data_loss', 'a compiled piece in the cache can\'t be loaded: delete the cache folder in the state folder and start again', { cause });
    }
  }

  /** Does nothing once all is given up. */
  free({ bank, at }: Placed): void {
    this.#banks[bank]?.bank.give(at);
  }

  /** Gives all memories up, whatever lies in them: they are gone when nobody looks at one any more. */
  close(): void {
    this.#isClosed = true;
    this.#banks.length = 0;
    this.#byBuffer.clear();
  }

  /** Of bytes that `kvMemory` gave. */
  kvPlace({ buffer, byteOffset }: Uint8Array): Placed {
    const bank = this.#byBuffer.get(buffer);
    assert(bank !== undefined, 'keys and values lie in a bank');
    return { bank, at: byteOffset };
  }

  #take(keeps: Kept, bytes: number): Placed {
    assert(!this.#isClosed, 'nothing is taken of memories that were given up');
    for (const [nth, each] of this.#banks.entries()) {
      const at = each.keeps === keeps ? each.bank.take(bytes) : null;
      if (at !== null) return { bank: nth, at };
    }
    const room = roomOf(this.#size);
    if (bytes > room) throw new AppError('resource_exhausted', `${bytes} bytes of ${keeps} are more than can be addressed as one, which is ${room}: use a smaller form of the weights, or shorter sequences`);
    const bank = new Bank(this.#size);
    const view = bankView(this.#module, bank.memory);
    view.kernels.initConstants();
    const prepared = keeps === 'weights' ? useHugePages(view.floats.buffer, bank.first) : Promise.resolve();
    const number = this.#banks.push({ bank, view, keeps, prepared }) - 1;
    this.#byBuffer.set(view.floats.buffer, number);
    return { bank: number, at: bank.take(bytes)! };
  }
}

async function read(file: string, into: Uint8Array): Promise<void> {
  await using handle = await open(file);
  const { size } = await handle.stat();
  assert(size === into.length, `the file has ${into.length} bytes, not ${size}`);
  for (let at = 0; at < into.length; ) {
    const { bytesRead } = await handle.read(into, at, Math.min(CHUNK_BYTES, into.length - at), at);
    assert(bytesRead > 0, 'the file does not end while it is read');
    at += bytesRead;
  }
}
