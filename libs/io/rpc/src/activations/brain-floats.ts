import { alignedBytes, requireWholeRows } from './bytes.ts';

const MAGNITUDE = 0x7fff_ffff;
const INFINITY = 0x7f80_0000;

/** bfloat16: the upper half of a float32, 8 bits of precision, rounded to the nearest even. */
export const brainFloats = {
  encode(values: Float32Array): Uint8Array<ArrayBuffer> {
    const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
    const halves = new Uint16Array(values.length);
    // Rounding could carry a NaN over into zero: it is cut instead.
    for (let index = 0; index < bits.length; index++) {
      const word = bits[index]!;
      halves[index] = ((word & MAGNITUDE) < INFINITY ? word + 0x7fff + ((word >>> 16) & 1) : word) >>> 16;
    }
    return new Uint8Array(halves.buffer);
  },
  decode(bytes: Uint8Array, width: number): Float32Array {
    requireWholeRows(bytes, 2 * width);
    const { buffer, byteOffset, byteLength } = alignedBytes(bytes, 2);
    const halves = new Uint16Array(buffer, byteOffset, byteLength / 2);
    const bits = new Int32Array(halves.length);
    for (let index = 0; index < bits.length; index++) bits[index] = halves[index]! << 16;
    return new Float32Array(bits.buffer);
  },
};
