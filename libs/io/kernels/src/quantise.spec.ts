import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LinearBench, randomFloats, strideOf } from '../test/linear.ts';
import { type QuantisedRow, quantiseRow } from '../test/reference.ts';
import { compileKernels } from './module.ts';

const bench = new LinearBench(compileKernels({ wide: false }));

/** One row of the kernel's bytes, read apart. */
function parse(bytes: Uint8Array, k: number, row: number): QuantisedRow {
  const blocks = Math.ceil(k / 32);
  const view = new DataView(bytes.buffer, bytes.byteOffset + row * strideOf(k), strideOf(k));
  return {
    codes: Int8Array.from({ length: 32 * blocks }, (_, i) => view.getInt8(i)),
    scales: Float32Array.from({ length: blocks }, (_, block) => view.getFloat32(32 * blocks + 8 * block, true)),
    sums: Int32Array.from({ length: blocks }, (_, block) => view.getInt32(32 * blocks + 8 * block + 4, true)),
  };
}

describe('quantise', () => {
  it('gives the codes, scales and sums of the plain form', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 200 }), (seed, rows, k) => {
        const x = randomFloats(seed, rows * k);
        const bytes = bench.quantise(x, k);
        for (let row = 0; row < rows; row++) expect(parse(bytes, k, row)).toEqual(quantiseRow(x.subarray(row * k, (row + 1) * k)));
      }),
    );
  });

  it('rounds ties to even, also in the part of a block that ends a row', () => {
    const x = Float32Array.from({ length: 40 }, (_, i) => (i % 32 === 0 ? 127 : (i % 32) - 15.5));
    expect(parse(bench.quantise(x, 40), 40, 0).codes.slice(0, 8)).toEqual(Int8Array.of(127, -14, -14, -12, -12, -10, -10, -8));
    expect(parse(bench.quantise(x, 40), 40, 0).codes.slice(32, 40)).toEqual(Int8Array.of(127, -14, -14, -12, -12, -10, -10, -8));
  });

  it.each([NaN, Infinity, -Infinity])('gives a block with %d a scale that is no number, and no other block', (bad) => {
    for (let at = 0; at < 72; at += 5) {
      const x = randomFloats(1, 72).map((value) => value + 1);
      x[at] = bad;
      const { scales, codes } = parse(bench.quantise(x, 72), 72, 0);
      expect([...scales].map(Number.isNaN)).toEqual([0, 1, 2].map((block) => block === at >> 5));
      expect(codes.subarray(at & -32, (at & -32) + 32).every((code) => code === 0)).toBe(true);
    }
  });

  it('takes a block of tiny numbers, and of the largest', () => {
    const x = Float32Array.from({ length: 96 }, (_, i) => [1e-44, 1.5e-36, 3.4e38][i >> 5]! * (i % 2 ? -1 : 1));
    const { scales, codes } = parse(bench.quantise(x, 96), 96, 0);
    expect(scales[0]).toBe(0);
    expect([...codes.filter((_, i) => i % 32 < 2)]).toEqual([0, 0, 127, -127, 127, -127]);
  });

  it('gives the same when threads share the blocks of a row', () => {
    const x = randomFloats(3, 4 * 100);
    const together = bench.quantise(x, 100);
    expect(bench.quantise(x, 100, [[2, 4], [0, 1], [1, 2]])).toEqual(together);
  });
});
