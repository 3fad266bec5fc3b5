import { endianness } from 'node:os';
import { AppError, assert } from '@essaim/core';

// The wire is little-endian and activations are moved, not converted: every platform that Node supports for us is.
assert(endianness() === 'LE', 'this platform is little-endian');

/** The same memory as bytes. */
export const toBytes = (floats: Float32Array): Uint8Array => new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);

/** The bytes as floats: the same memory where it is aligned to 4 bytes, else one copy. */
export function toFloats(bytes: Uint8Array, field: string): Float32Array<ArrayBuffer> {
  if (bytes.byteLength % 4 !== 0) throw new AppError('invalid_argument', `${field} has ${bytes.byteLength} bytes, which is no whole number of float32`);
  const { buffer, byteOffset, byteLength } = bytes as Uint8Array<ArrayBuffer>;
  if (byteOffset % 4 === 0) return new Float32Array(buffer, byteOffset, byteLength / 4);
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
}
