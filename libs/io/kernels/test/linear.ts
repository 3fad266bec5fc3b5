import { assert } from '@essaim/core';
import { type Kernels } from '../src/kernels.ts';
import { instantiate } from '../src/module.ts';
import { randomFrom } from './float32.ts';
import { packPanels, packPanels32 } from './panels.ts';
import { type CodedMatrix } from './reference.ts';

const PAGES = 64;
/** Floats between rows. */
const GAP = 3;
const AT = { w: 4096, x: 1 << 20, quantised: 3 << 19, out: 2 << 20, scratch: 3 << 20 };

/** Which rows and panels one call computes. */
export interface Part {
  readonly rows: readonly [first: number, end: number];
  readonly panels: readonly [first: number, end: number];
}

/** The linear kernels over a memory of their own, for matrices of at most 70 rows of width 200 and at most 80 rows of x. */
export class LinearBench {
  readonly kernels: Kernels;
  private readonly memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES, shared: true });

  /** dotForm: of the products, see `Kernels.setDotForm`; what suits this CPU unless given. */
  constructor(module: WebAssembly.Module, dotForm?: number) {
    this.kernels = instantiate(module, this.memory);
    this.kernels.initConstants();
    if (dotForm !== undefined) this.kernels.setDotForm(dotForm);
  }

  /** The bytes of quantised rows of x [rows, k], or of the blocks from first to end - 1 of several calls. */
  quantise(x: Float32Array, k: number, calls?: readonly (readonly [first: number, end: number])[]): Uint8Array {
    const rows = x.length / k;
    this.spread(x, k);
    const bytes = new Uint8Array(this.memory.buffer, AT.quantised, rows * strideOf(k)).fill(0);
    if (!calls) this.kernels.quantise(AT.x, rows, k, k + GAP, AT.quantised);
    for (const [first, end] of calls ?? []) this.kernels.quantiseColumns(AT.x, rows, k, k + GAP, AT.quantised, first, end);
    return bytes.slice();
  }

  /** x W^T [rows, n], computed in parts; what no part computes is NaN. */
  linear(bits: 4 | 8, x: Float32Array, matrix: CodedMatrix, parts: readonly Part[]): Float32Array {
    this.quantise(x, matrix.k);
    new Uint8Array(this.memory.buffer, AT.w).set(packPanels(matrix, bits));
    const kernel = bits === 4 ? this.kernels.linear4 : this.kernels.linear8;
    return this.inParts(x.length / matrix.k, matrix.n, { parts, k: matrix.k }, (row, rows, [first, end], out, stride) =>
      kernel(AT.w, AT.quantised + row * strideOf(matrix.k), rows, matrix.k, first, end, out, stride, AT.scratch),
    );
  }

  linear32(x: Float32Array, w: Float32Array, k: number, parts: readonly Part[]): Float32Array {
    this.spread(x, k);
    new Float32Array(this.memory.buffer, AT.w).set(packPanels32(w, k));
    return this.inParts(x.length / k, w.length / k, { parts, k }, (row, rows, [first, end], out, stride) =>
      this.kernels.linear32(AT.w, AT.x + 4 * row * (k + GAP), rows, k, k + GAP, first, end, out, stride, AT.scratch),
    );
  }

  /** Rows of x with a gap behind each, which holds what nobody should read. */
  private spread(x: Float32Array, k: number): void {
    const to = new Float32Array(this.memory.buffer, AT.x, (x.length / k) * (k + GAP)).fill(NaN);
    for (let row = 0; row < x.length / k; row++) to.set(x.subarray(row * k, (row + 1) * k), row * (k + GAP));
  }

  private inParts(rows: number, n: number, { parts, k }: { readonly parts: readonly Part[]; readonly k: number }, compute: (row: number, rows: number, panels: Part['panels'], out: number, stride: number) => void): Float32Array {
    const stride = Math.ceil(n / 16) * 16 + 4;
    const out = new Float32Array(this.memory.buffer, AT.out, rows * stride).fill(NaN);
    for (const { rows: [first, end], panels } of parts) {
      const behind = new Uint8Array(this.memory.buffer, AT.scratch + this.kernels.linearScratchBytes(k, end - first), 64).fill(7);
      compute(first, end - first, panels, AT.out + 4 * first * stride, stride);
      assert(behind.every((byte) => byte === 7), 'a kernel keeps to its scratch');
    }
    return Float32Array.from({ length: rows * n }, (_, i) => out[Math.floor(i / n) * stride + (i % n)]!);
  }
}

/** Bytes of one quantised row. */
export function strideOf(k: number): number {
  return Math.ceil((Math.ceil(k / 32) * 40) / 64) * 64;
}

/** All rows and columns at once. */
export function whole(rows: number, n: number): Part[] {
  return [{ rows: [0, rows], panels: [0, Math.ceil(n / 16)] }];
}

/** Every row and every panel by itself. */
export function oneByOne(rows: number, n: number): Part[] {
  return Array.from({ length: rows * Math.ceil(n / 16) }, (_, i) => {
    const row = i % rows, panel = Math.floor(i / rows);
    return { rows: [row, row + 1], panels: [panel, panel + 1] };
  });
}

/** Numbers of magnitudes from 2^-20 to 2^20, blocks of zeros among them. */
export function randomFloats(seed: number, count: number): Float32Array {
  const random = randomFrom(seed);
  let size = 1;
  return Float32Array.from({ length: count }, (_, i) => {
    if (i % 32 === 0) size = random() < 0.1 ? 0 : 2 ** (40 * random() - 20);
    return (random() * 2 - 1) * size;
  });
}

export function randomMatrix(seed: number, bits: 4 | 8, n: number, k: number): CodedMatrix {
  const random = randomFrom(seed);
  const half = 2 ** (bits - 1);
  return {
    n,
    k,
    codes: Int8Array.from({ length: n * k }, () => Math.floor(random() * 2 * half) - half),
    scales: Uint16Array.from({ length: n * Math.ceil(k / 32) }, () => 0x3c00 + Math.floor(random() * 0x180)),
  };
}
