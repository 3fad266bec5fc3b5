import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LinearBench, oneByOne, randomFloats, randomMatrix, whole } from '../test/linear.ts';
import { linear32Row, linearRow, quantiseRow } from '../test/reference.ts';
import { compileKernels } from './module.ts';

const SHAPES = { seed: fc.nat(), rows: fc.integer({ min: 1, max: 40 }), n: fc.integer({ min: 1, max: 70 }), k: fc.integer({ min: 1, max: 200 }) };
const BITS = [4, 8] as const;
const narrow = compileKernels({ wide: false });
const wide = compileKernels({ wide: true });

/** In rows: what the plain form makes of each row by itself. */
const expected = (x: Float32Array, k: number, row: (x: Float32Array) => Float32Array): number[] =>
  Array.from({ length: x.length / k }, (_, i) => [...row(x.subarray(i * k, (i + 1) * k))]).flat();

/** The form of the products that is right on every CPU. */
const PAIRS = 2;

describe.each([
  { form: 'narrow', bench: new LinearBench(narrow) },
  { form: 'wide', bench: new LinearBench(wide) },
  { form: 'narrow and in pairs', bench: new LinearBench(narrow, PAIRS) },
  { form: 'wide and in pairs', bench: new LinearBench(wide, PAIRS) },
])('linear kernels, $form', ({ bench }) => {

  it.each(BITS)('give the bits of the plain form for int%i weights, whatever the shape', (bits) => {
    fc.assert(
      fc.property(fc.record(SHAPES), ({ seed, rows, n, k }) => {
        const x = randomFloats(seed, rows * k);
        const matrix = randomMatrix(seed + 1, bits, n, k);
        expect([...bench.linear(bits, x, matrix, whole(rows, n))]).toEqual(expected(x, k, (row) => linearRow(quantiseRow(row), matrix)));
      }),
      { numRuns: 25 },
    );
  });

  it('give the bits of the plain form for float32 weights, whatever the shape', () => {
    fc.assert(
      fc.property(fc.record(SHAPES), ({ seed, rows, n, k }) => {
        const x = randomFloats(seed, rows * k);
        const w = randomFloats(seed + 1, n * k);
        expect([...bench.linear32(x, w, k, whole(rows, n))]).toEqual(expected(x, k, (row) => linear32Row(row, w)));
      }),
      { numRuns: 25 },
    );
  });

  it.each(BITS)('give a row of int%i the same bits beside any others and in any part of the columns', (bits) => {
    fc.assert(
      fc.property(fc.record(SHAPES), ({ seed, rows, n, k }) => {
        const x = randomFloats(seed, rows * k);
        const matrix = randomMatrix(seed + 1, bits, n, k);
        expect(bench.linear(bits, x, matrix, oneByOne(rows, n))).toEqual(bench.linear(bits, x, matrix, whole(rows, n)));
      }),
      { numRuns: 12 },
    );
  });

  it('give a row of float32 the same bits beside any others and in any part of the columns', () => {
    fc.assert(
      fc.property(fc.record(SHAPES), ({ seed, rows, n, k }) => {
        const x = randomFloats(seed, rows * k);
        const w = randomFloats(seed + 1, n * k);
        expect(bench.linear32(x, w, k, oneByOne(rows, n))).toEqual(bench.linear32(x, w, k, whole(rows, n)));
      }),
      { numRuns: 12 },
    );
  });

  it.each(BITS)('pass on more rows than they arrange at once for int%i', (bits) => {
    const x = randomFloats(bits, 80 * 33);
    const matrix = randomMatrix(bits, bits, 20, 33);
    expect([...bench.linear(bits, x, matrix, whole(80, 20))]).toEqual(expected(x, 33, (row) => linearRow(quantiseRow(row), matrix)));
  });

  it('pass on more rows than they arrange at once for float32', () => {
    const x = randomFloats(1, 80 * 33);
    const w = randomFloats(2, 20 * 33);
    expect([...bench.linear32(x, w, 33, whole(80, 20))]).toEqual(expected(x, 33, (row) => linear32Row(row, w)));
  });

  it.each([NaN, Infinity, -Infinity])('make every result of a row with %d no number, and of no other row', (bad) => {
    const x = randomFloats(1, 6 * 70);
    x[2 * 70 + 69] = bad;
    const matrix = randomMatrix(2, 4, 20, 70);
    for (const results of [bench.linear(4, x, matrix, whole(6, 20)), bench.linear(8, x, matrix, whole(6, 20)), bench.linear32(x, randomFloats(3, 20 * 70), 70, whole(6, 20))]) {
      expect([...results].map(Number.isFinite)).toEqual(Array.from({ length: 6 * 20 }, (_, i) => Math.floor(i / 20) !== 2));
    }
  });

  it('make zeros of zeros', () => {
    const zeros = new Float32Array(5 * 64);
    for (const bits of BITS) expect(bench.linear(bits, zeros, randomMatrix(1, bits, 17, 64), whole(5, 17)).every((value) => value === 0)).toBe(true);
    expect(bench.linear32(zeros, randomFloats(1, 17 * 64), 64, whole(5, 17)).every((value) => value === 0)).toBe(true);
  });

  it.each(BITS)('stay as close to the product of the real numbers as int8 activations allow, for int%i', (bits) => {
    const x = Float32Array.from(randomFloats(5, 4 * 64), Math.sin);
    const matrix = randomMatrix(6, bits, 16, 64);
    const ones = { ...matrix, scales: matrix.scales.fill(0x3f80) };
    const weightSum = (column: number): number => ones.codes.subarray(column * 64, column * 64 + 64).reduce((sum, code) => sum + Math.abs(code), 0);
    bench.linear(bits, x, ones, whole(4, 16)).forEach((value, i) => {
      const [row, column] = [Math.floor(i / 16), i % 16];
      let product = 0;
      for (let at = 0; at < 64; at++) product += x[row * 64 + at]! * ones.codes[column * 64 + at]!;
      expect(Math.abs(value - product)).toBeLessThanOrEqual(weightSum(column) * (1 / 127) * 0.51);
    });
  });
});

it.each([0, 1])('form %i of int8 products is right only where the CPU has it', (form) => {
  const bench = new LinearBench(wide, form);
  const x = randomFloats(form, 7 * 100);
  const matrix = randomMatrix(form, 8, 40, 100);
  const right = new LinearBench(wide, PAIRS).linear(8, x, matrix, whole(7, 40));
  const results = bench.linear(8, x, matrix, whole(7, 40));
  if (bench.kernels.probeDot() === form) expect(results).toEqual(right);
  else expect(results).not.toEqual(right);
});

it('the wide and the narrow module give the same bits', () => {
  const modules = [new LinearBench(narrow), new LinearBench(wide)] as const;
  fc.assert(
    fc.property(fc.record(SHAPES), fc.constantFrom(...BITS), ({ seed, rows, n, k }, bits) => {
      const x = randomFloats(seed, rows * k);
      const matrix = randomMatrix(seed + 1, bits, n, k);
      const [a, b] = modules.map((bench) => bench.linear(bits, x, matrix, whole(rows, n)));
      expect(a).toEqual(b);
    }),
    { numRuns: 25 },
  );
});
