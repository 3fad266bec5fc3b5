import { fma, fromBf16, nearest } from './float32.ts';

/** Plain forms of the kernels: the same float32 operations in the same order, one number at a time. */

export interface QuantisedRow {
  /** k rounded up to whole blocks; what is beyond k is 0. */
  readonly codes: Int8Array;
  readonly scales: Float32Array;
  readonly sums: Int32Array;
}

const BLOCK = 32;
const SMALLEST_NORMAL = 2 ** -126;

export function quantiseRow(x: Float32Array): QuantisedRow {
  const blocks = Math.ceil(x.length / BLOCK);
  const row = { codes: new Int8Array(blocks * BLOCK), scales: new Float32Array(blocks), sums: new Int32Array(blocks) };
  for (let block = 0; block < blocks; block++) {
    const part = x.subarray(block * BLOCK, (block + 1) * BLOCK);
    const scale = Math.fround(part.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0) / 127);
    row.scales[block] = Number.isFinite(scale) ? (scale < SMALLEST_NORMAL ? 0 : scale) : NaN;
    if (!(row.scales[block]! > 0)) continue;
    const inverse = Math.fround(1 / scale);
    part.forEach((value, i) => {
      const code = nearest(Math.fround(value * inverse));
      row.codes[block * BLOCK + i] = code;
      row.sums[block]! += code;
    });
  }
  return row;
}

/** A matrix [n, k] of codes with a bf16 scale per row and block. */
export interface CodedMatrix {
  readonly n: number;
  readonly k: number;
  /** [n, k], value / scale. */
  readonly codes: Int8Array;
  /** [n, blocks], bf16 patterns. */
  readonly scales: Uint16Array;
}

/** One row of x W^T. */
export function linearRow(row: QuantisedRow, { n, k, codes, scales }: CodedMatrix): Float32Array {
  const blocks = row.scales.length;
  return Float32Array.from({ length: n }, (_, column) => {
    let acc = 0;
    for (let block = 0; block < blocks; block++) {
      let dot = 0;
      for (let i = block * BLOCK; i < Math.min(k, (block + 1) * BLOCK); i++) dot += row.codes[i]! * codes[column * k + i]!;
      acc = fma(dot, Math.fround(row.scales[block]! * fromBf16(scales[column * blocks + block]!)), acc);
    }
    return acc;
  });
}

/** One row of x W^T in float32; w is [n, k]. */
export function linear32Row(x: Float32Array, w: Float32Array): Float32Array {
  const k = x.length;
  return Float32Array.from({ length: w.length / k }, (_, column) => {
    let acc = 0;
    for (let i = 0; i < k; i++) acc = fma(x[i]!, w[column * k + i]!, acc);
    return acc;
  });
}
