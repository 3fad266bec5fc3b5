import { alignedBytes, requireWholeRows } from './bytes.ts';

const SIGN = 0x8000;
const MAGNITUDE = 0x7fff_ffff;
const INFINITY = 0x7c00;
/** 2^-14 as a float32. */
const SMALLEST_NORMAL = 0x3880_0000;
/** What the exponent of a float32 is ahead of that of a float16, less what rounds the 13 bits that go. */
const REBIAS = 0x3800_0000 - 0xfff;

/** IEEE float16: 11 bits of precision, up to 65504. Has no room for what is larger or not finite. */
export const halfFloats = {
  /** By bits, since a Float16Array takes no less time and can't say what did not fit. */
  encode(values: Float32Array): Uint8Array<ArrayBuffer> | null {
    const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
    const halves = new Uint16Array(values.length);
    let largest = 0;
    for (let index = 0; index < bits.length; index++) {
      const magnitude = bits[index]! & MAGNITUDE;
      // Rounded to the nearest even; below the normal numbers float16 counts in steps of 2^-24.
      const half = magnitude >= SMALLEST_NORMAL ? (magnitude - REBIAS + ((magnitude >>> 13) & 1)) >>> 13 : (Math.abs(values[index]!) * 2 ** 24 + 0.5) | 0;
      if (half > largest) largest = half;
      halves[index] = half | ((bits[index]! >>> 16) & SIGN);
    }
    return largest < INFINITY ? new Uint8Array(halves.buffer) : null;
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
