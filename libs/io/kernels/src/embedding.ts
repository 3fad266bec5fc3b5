import { assert } from '@essaim/core';
import { type PieceLayout } from '@essaim/panels';

/** Rows of the embedding table that lies at an address, as float32: [tokens, hidden]. */
export function embedRows(memory: SharedArrayBuffer, at: number, layout: PieceLayout, tokenIds: readonly number[]): Float32Array {
  const table = layout.tensors['embedding'];
  assert(table?.form === 'rows', 'an embedding is a table of rows');
  const { columns, dtype, rows } = table;
  const hidden = new Float32Array(tokenIds.length * columns);
  const stored = STORED[dtype](memory, at + table.offset, rows * columns);
  tokenIds.forEach((id, nth) => {
    assert(id >= 0 && id < rows, 'a token has a row of the embedding');
    const [row, into] = [stored.subarray(id * columns, (id + 1) * columns), hidden.subarray(nth * columns, (nth + 1) * columns)];
    if (dtype === 'bf16') widen(row, into);
    else into.set(row);
  });
  return hidden;
}

const STORED = {
  f32: (memory: SharedArrayBuffer, at: number, count: number) => new Float32Array(memory, at, count),
  f16: (memory: SharedArrayBuffer, at: number, count: number) => new Float16Array(memory as unknown as ArrayBuffer, at, count),
  bf16: (memory: SharedArrayBuffer, at: number, count: number) => new Uint16Array(memory, at, count),
} as const;

/** bfloat16 is the upper half of a float32. */
function widen(row: ArrayLike<number>, into: Float32Array): void {
  const bits = new Uint32Array(into.buffer, into.byteOffset, into.length);
  for (let index = 0; index < bits.length; index++) bits[index] = row[index]! << 16;
}
