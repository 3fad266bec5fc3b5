import { assert } from '@essaim/core';
import { type Kernels } from '../src/kernels.ts';
import { compileKernels, instantiate } from '../src/module.ts';

const PAGE_BYTES = 65_536;

/** Kernels over a memory of their own, and arrays put into it one behind the other, a gap of NaN between them. */
export class KernelMemory {
  readonly kernels: Kernels;
  readonly #floats: Float32Array;
  #next = 4096;

  constructor(options: { readonly wide: boolean } = { wide: true }, bytes = 1 << 24) {
    const pages = bytes / PAGE_BYTES;
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.kernels = instantiate(compileKernels(options), memory);
    this.kernels.initConstants();
    this.#floats = new Float32Array(memory.buffer);
  }

  /** Forgets the arrays. */
  clear(): void {
    this.#next = 4096;
  }

  /** Address of a copy of `values`, a multiple of 64. */
  put(values: ArrayLike<number>): number {
    const address = this.room(values.length);
    this.#floats.set(values, address / 4);
    return address;
  }

  /** Address of `count` floats that are NaN. */
  room(count: number): number {
    const address = this.#next;
    this.#next += 64 * Math.ceil(count / 16 + 1);
    assert(this.#next <= 4 * this.#floats.length, 'what a spec puts into a memory fits');
    this.#floats.fill(NaN, address / 4, this.#next / 4);
    return address;
  }

  /** A copy of `count` floats. */
  read(address: number, count: number): Float32Array {
    return this.#floats.slice(address / 4, address / 4 + count);
  }
}

/** Numbers in (-1, 1) that are the same for the same seed. @see https://en.wikipedia.org/wiki/Xorshift */
export function randomFloats(count: number, seed: number): Float32Array {
  let state = (seed * 2_654_435_761 + 1_234_567) | 1;
  return Float32Array.from({ length: count }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state / 2 ** 31;
  });
}
