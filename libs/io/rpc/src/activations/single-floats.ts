import { endianness } from 'node:os';
import { assert } from '@essaim/core';
import { alignedBytes, requireWholeRows } from './bytes.ts';

// The wire is little-endian and activations are moved, not converted: every platform that Node supports for us is.
assert(endianness() === 'LE', 'this platform is little-endian');

/** float32: the memory as it is. */
export const singleFloats = {
  encode: (values: Float32Array): Uint8Array<ArrayBuffer> => new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength),
  decode(bytes: Uint8Array, width: number): Float32Array {
    requireWholeRows(bytes, 4 * width);
    const { buffer, byteOffset, byteLength } = alignedBytes(bytes, 4);
    return new Float32Array(buffer, byteOffset, byteLength / 4);
  },
};
