import { AppError } from '@essaim/core';
import { Region } from './region.ts';

const PAGE = 65_536;
/** 4 GiB: as far as an address of 32 bits reaches. Only pages that something was written to are memory. */
const PAGES = 65_536;
/** Behind the first page, which has constants and the module's own data. */
export const ARENA_AT = PAGE;

/**
 * A memory that all threads see: weights, or keys and values, behind an arena for what is computed with them. Larger models have several.
 * Addresses are bytes from its start.
 */
export class Bank {
  readonly memory: WebAssembly.Memory;
  readonly #region: Region;

  constructor(arenaBytes: number) {
    try {
      this.memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES, shared: true });
    } catch (cause) {
      throw new AppError('resource_exhausted', 'this process may not reserve 4 GiB of address space for a model: raise its limit of virtual memory (ulimit -v)', { cause });
    }
    this.#region = new Region(ARENA_AT + Math.ceil(arenaBytes / 64) * 64, PAGES * PAGE);
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
