import { alignedBytes, requireWholeRows } from './bytes.ts';

/** Values of a row that share a scale. */
const BLOCK_SIZE = 32;
const LARGEST_CODE = 127;
/** Makes codes positive, so that cutting the fraction rounds to the nearest: Math.round takes five times as long. */
const ROUNDING_OFFSET = 128.5;
const MAGNITUDE = 0x7fff_ffff;

const blocksPerRow = (width: number): number => Math.ceil(width / BLOCK_SIZE);
const rowBytes = (width: number): number => 4 * blocksPerRow(width) + width;

/**
 * int8 with a float32 scale for every 32 values of a row, the last block of a row may be shorter: first the scales
 * [rows, ceil(width / 32)], then the codes [rows, width]; value = code * scale. A block with a value that is not finite has a scale that is not.
 */
export const scaledBytes = {
  encode(values: Float32Array, width: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array((values.length / Math.max(width, 1)) * rowBytes(width));
    const { scales, codes } = split(bytes, width);
    const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
    for (let block = 0; block < scales.length; block++) {
      const first = firstOf(block, width);
      const last = lastOf(block, width);
      scales[block] = largestMagnitude(bits, first, last) / LARGEST_CODE;
      // As the reader will have it, rounded to float32.
      const scale = scales[block]!;
      const codesPerUnit = scale === 0 ? 0 : 1 / scale;
      for (let index = first; index < last; index++) codes[index] = ((values[index]! * codesPerUnit + ROUNDING_OFFSET) | 0) - 128;
    }
    return bytes;
  },
  decode(bytes: Uint8Array, width: number): Float32Array {
    requireWholeRows(bytes, rowBytes(width));
    const { scales, codes } = split(alignedBytes(bytes, 4), width);
    const values = new Float32Array(codes.length);
    for (let block = 0; block < scales.length; block++) {
      const scale = scales[block]!;
      const last = lastOf(block, width);
      for (let index = firstOf(block, width); index < last; index++) values[index] = codes[index]! * scale;
    }
    return values;
  },
};

function split({ buffer, byteOffset, byteLength }: Uint8Array, width: number): { readonly scales: Float32Array; readonly codes: Int8Array } {
  const rows = width === 0 ? 0 : byteLength / rowBytes(width);
  const scales = new Float32Array(buffer, byteOffset, rows * blocksPerRow(width));
  return { scales, codes: new Int8Array(buffer, byteOffset + scales.byteLength, rows * width) };
}

/** Index of a block's first value, and the one past its last. */
const firstOf = (block: number, width: number): number => rowOf(block, width) * width + (block % blocksPerRow(width)) * BLOCK_SIZE;
const lastOf = (block: number, width: number): number => Math.min(firstOf(block, width) + BLOCK_SIZE, (rowOf(block, width) + 1) * width);
const rowOf = (block: number, width: number): number => Math.floor(block / blocksPerRow(width));

const WORD = new Int32Array(1);
const WORD_AS_FLOAT = new Float32Array(WORD.buffer);

/** Without their sign, floats are ordered as their bits are, infinity and NaN above all: comparing those takes half the time. */
function largestMagnitude(bits: Int32Array, first: number, last: number): number {
  let largest = 0;
  for (let index = first; index < last; index++) {
    const magnitude = bits[index]! & MAGNITUDE;
    if (magnitude > largest) largest = magnitude;
  }
  WORD[0] = largest;
  return WORD_AS_FLOAT[0]!;
}
