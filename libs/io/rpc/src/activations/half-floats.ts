import { alignedBytes, requireWholeRows } from './bytes.ts';

const EXPONENTS = 0x7c00_7c00;
const LOWEST_EXPONENT_BITS = 0x0400_0400;
const CARRIES = 0x8000_8000;

/** IEEE float16: 11 bits of precision, up to 65504. Has no room for what is larger or not finite. */
export const halfFloats = {
  encode(values: Float32Array): Uint8Array<ArrayBuffer> | null {
    const pairs = new Int32Array(Math.ceil(values.length / 2));
    new Float16Array(pairs.buffer, 0, values.length).set(values);
    return areFinite(pairs) ? new Uint8Array(pairs.buffer, 0, 2 * values.length) : null;
  },
  decode(bytes: Uint8Array, width: number): Float32Array {
    requireWholeRows(bytes, 2 * width);
    const { buffer, byteOffset, byteLength } = alignedBytes(bytes, 2);
    const values = new Float32Array(byteLength / 2);
    // `set` converts twice as fast as the constructor does.
    values.set(new Float16Array(buffer, byteOffset, values.length));
    return values;
  },
};

/** Two values at a time: an exponent of ones, which only infinities and NaN have, carries when its lowest bit is added. */
function areFinite(pairs: Int32Array): boolean {
  let carries = 0;
  for (let index = 0; index < pairs.length; index++) carries |= (pairs[index]! & EXPONENTS) + LOWEST_EXPONENT_BITS;
  return (carries & CARRIES) === 0;
}
