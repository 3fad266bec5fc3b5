import { AppError } from '@essaim/core';
import { type Kernels } from './kernels.ts';
import { instantiate } from './module.ts';
import { Region } from './region.ts';

const PAGE = 65_536;
/** 4 GiB: as far as an address of 32 bits reaches. Only pages that something was written to are memory. */
export const BANK_BYTES = 65_536 * PAGE;
/** Behind the first page, which has constants and the module's own data. */
export const ARENA_AT = PAGE;

/** What a thread sees of a bank. */
export interface BankView {
  readonly kernels: Kernels;
  /** All of it, to copy between banks. */
  readonly floats: Float32Array<SharedArrayBuffer>;
}

export interface BankSize {
  readonly arenaBytes: number;
  /** Of all, a multiple of 64 KiB. */
  readonly bytes: number;
}

/** Where what is kept in a bank begins: behind the arena. */
const firstOf = ({ arenaBytes }: BankSize): number => ARENA_AT + Math.ceil(arenaBytes / 64) * 64;

/** The most bytes that a bank can hold as one. */
export const roomOf = (size: BankSize): number => Math.max(0, size.bytes - firstOf(size));

/**
 * A memory that all threads see: weights, or keys and values, behind an arena for what is computed with them. Larger models have several.
 * Addresses are bytes from its start.
 */
export class Bank {
  readonly memory: WebAssembly.Memory;
  /** Address of the first byte that can be taken. */
  readonly first: number;
  readonly #region: Region;

  constructor(size: BankSize) {
    try {
      this.memory = new WebAssembly.Memory({ initial: size.bytes / PAGE, maximum: size.bytes / PAGE, shared: true });
    } catch (cause) {
      throw new AppError('resource_exhausted', 'this process may not reserve 4 GiB of address space for a model: raise its limit of virtual memory (ulimit -v)', { cause });
    }
    this.first = firstOf(size);
    this.#region = new Region(this.first, size.bytes);
  }

  take(bytes: number): number | null {
    return this.#region.take(bytes);
  }

  give(at: number): void {
    this.#region.give(at);
  }

  get taken(): number {
    return this.#region.taken;
  }
}

/** A memory as the calling thread sees it. */
export const bankView = (module: WebAssembly.Module, memory: WebAssembly.Memory): BankView => ({ kernels: instantiate(module, memory), floats: new Float32Array(memory.buffer) });
