import { assert } from '@essaim/core';
import { quantiseRows } from '@essaim/quantise';

const BLOCK_SIZE = 32;
const HALF_BLOCK = BLOCK_SIZE / 2;
/** A float16 scale, then the codes in pairs. */
const BLOCK_BYTES = 2 + HALF_BLOCK;

export const q4Bytes = (values: number): number => (values / BLOCK_SIZE) * BLOCK_BYTES;

/**
 * Rows as ggml's Q4_0 blocks. The codes and scales are those that Essaim computes with, so that both sides have the same weights (a float16
 * holds every bfloat16 of its range); only the order within a block differs: a byte holds code i and, in its high half, code i + 16.
 */
export function q4Rows(values: Float32Array, columns: number): Uint8Array {
  assert(columns % BLOCK_SIZE === 0, 'rows of Q4_0 are whole blocks');
  const { codes, scales } = quantiseRows(values, { columns, dtype: 'int4', scales: 'bf16' });
  const halves = new Uint8Array(Float16Array.from(scales).buffer);
  const blocks = new Uint8Array(scales.length * BLOCK_BYTES);
  for (let block = 0; block < scales.length; block++) {
    const [from, to] = [block * HALF_BLOCK, block * BLOCK_BYTES];
    blocks[to] = halves[2 * block]!;
    blocks[to + 1] = halves[2 * block + 1]!;
    for (let index = 0; index < HALF_BLOCK; index++) {
      blocks[to + 2 + index] = codeAt(codes, from, index) | (codeAt(codes, from, index + HALF_BLOCK) << 4);
    }
  }
  return blocks;
}

/** Code `index` of a block of Essaim's, which holds consecutive codes in pairs, the first in the low half. */
function codeAt(codes: Uint8Array, from: number, index: number): number {
  const pair = codes[from + (index >> 1)]!;
  return index % 2 === 0 ? pair & 15 : pair >> 4;
}
