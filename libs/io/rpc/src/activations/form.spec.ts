import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ACTIVATION_DTYPES, type ActivationDtype, decodeActivations, encodeActivations } from './form.ts';

const WIDTH = 70;
const rowsOf = (value: fc.Arbitrary<number>): fc.Arbitrary<Float32Array> =>
  fc.integer({ min: 0, max: 3 }).chain((rows) => fc.array(value, { minLength: rows * WIDTH, maxLength: rows * WIDTH })).map((values) => Float32Array.from(values));
const moderate = fc.float({ noNaN: true, min: -60_000, max: 60_000 });
const any = fc.oneof(fc.float(), fc.constantFrom(NaN, Infinity, -Infinity, 65_504, 65_520, 3e38, 1e-45));

const back = (values: Float32Array, dtype: ActivationDtype): Float32Array => decodeActivations(encodeActivations(values, WIDTH, dtype), WIDTH);

/** Largest magnitude among the values that share a scale with this one. */
function largestOfBlock(values: Float32Array, index: number): number {
  const row = index - (index % WIDTH);
  const first = index - ((index - row) % 32);
  return values.subarray(first, Math.min(first + 32, row + WIDTH)).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/** How far a value may be from what it was. */
const TOLERANCE: Readonly<Record<ActivationDtype, (values: Float32Array, index: number) => number>> = {
  f32: () => 0,
  f16: (values, index) => Math.abs(values[index]!) * 2 ** -11 + 2 ** -25,
  bf16: (values, index) => Math.abs(values[index]!) * 2 ** -8 + 2 ** -134,
  int8: (values, index) => (largestOfBlock(values, index) / 127) * 0.501 + 1e-43,
};

describe.each(ACTIVATION_DTYPES)('%s', (dtype) => {
  it('gives back values within its precision', () => {
    fc.assert(fc.property(rowsOf(moderate), (values) => {
      const received = back(values, dtype);
      expect(received).toHaveLength(values.length);
      values.forEach((value, index) => expect(Math.abs(received[index]! - value)).toBeLessThanOrEqual(TOLERANCE[dtype](values, index)));
    }));
  });

  it('gives back nothing finite for what was not, and something finite for what was, in every row without an infinity or NaN', () => {
    fc.assert(fc.property(rowsOf(any), (values) => {
      const received = back(values, dtype);
      values.forEach((value, index) => !Number.isFinite(value) && expect(received[index]).not.toSatisfy(Number.isFinite));
      for (let first = 0; first < values.length; first += WIDTH) {
        const isFinite = values.subarray(first, first + WIDTH).every((value) => Math.abs(value) <= 3e38);
        if (isFinite) expect(received.subarray(first, first + WIDTH).every(Number.isFinite)).toBe(true);
      }
    }));
  });

  it('gives a row the same bits whatever other rows travel with it', () => {
    fc.assert(fc.property(rowsOf(moderate), (values) => {
      const received = back(values, dtype);
      for (let first = 0; first < values.length; first += WIDTH) {
        expect(back(values.slice(first, first + WIDTH), dtype)).toEqual(received.subarray(first, first + WIDTH));
      }
    }));
  });

  it('reads bytes wherever they lie', () => {
    const values = Float32Array.from({ length: 2 * WIDTH }, (_, index) => index - WIDTH);
    const encoded = encodeActivations(values, WIDTH, dtype);
    const moved = Buffer.alloc(encoded.bytes.length + 1);
    moved.set(encoded.bytes, 1);
    expect(decodeActivations({ dtype, bytes: moved.subarray(1) }, WIDTH)).toEqual(back(values, dtype));
  });

  it('refuses bytes that are no whole rows', () => {
    const { bytes } = encodeActivations(new Float32Array(WIDTH), WIDTH, dtype);
    expect(() => decodeActivations({ dtype, bytes: bytes.subarray(1) }, WIDTH)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    expect(() => decodeActivations({ dtype, bytes }, 0)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });
});

it('what f16 has no room for travels as f32', () => {
  const values = Float32Array.of(1, 65_520);
  expect(encodeActivations(values, 2, 'f16').dtype).toBe('f32');
  expect(back(new Float32Array(WIDTH).fill(65_520), 'f16')[0]).toBe(65_520);
});

it.each([['f16', 2], ['bf16', 2], ['int8', 1.125]] as const)('%s takes %d bytes a value', (dtype, bytes) => {
  expect(encodeActivations(new Float32Array(1024), 1024, dtype).bytes).toHaveLength(1024 * bytes);
});
