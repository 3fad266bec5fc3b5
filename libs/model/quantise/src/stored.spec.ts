import fc from 'fast-check';
import { expect, it } from 'vitest';
import { STORED_DTYPES, type StoredDtype } from '@essaim/core';
import { encodeStored, STORED_BYTES } from './stored.ts';

/** Values that do not begin where their buffer does. */
const inside = (values: readonly number[]): Float32Array => Float32Array.from([NaN, ...values]).subarray(1);

const DECODE: Readonly<Record<StoredDtype, (view: DataView, index: number) => number>> = {
  f32: (view, index) => view.getFloat32(4 * index, true),
  f16: (view, index) => view.getFloat16(2 * index, true),
  bf16: (view, index) => {
    const word = new DataView(new ArrayBuffer(4));
    word.setUint32(0, view.getUint16(2 * index, true) << 16);
    return word.getFloat32(0);
  },
};

it.each(STORED_DTYPES)('values that came from %s go back to it exactly', (dtype) => {
  // Eight bits are a number's of all three forms.
  const number = fc.tuple(fc.integer({ min: -128, max: 127 }), fc.integer({ min: -6, max: 6 })).map(([mantissa, exponent]) => mantissa * 2 ** exponent);
  fc.assert(fc.property(fc.array(fc.oneof(number, fc.constantFrom(Infinity, -Infinity, NaN)), { maxLength: 20 }), (values) => {
    const bytes = encodeStored(inside(values), dtype);
    expect(bytes.length).toBe(values.length * STORED_BYTES[dtype]);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    expect(values.map((_, index) => DECODE[dtype](view, index))).toEqual(values);
  }));
});
