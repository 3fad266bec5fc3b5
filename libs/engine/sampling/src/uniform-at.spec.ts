import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { uniformAt } from './uniform-at.ts';

const seeds = fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n });

/** Of `numbers` in [0, 1) thrown into `bins`; mean bins - 1, standard deviation sqrt(2 (bins - 1)). */
function chiSquare(numbers: readonly number[], bins: number): number {
  const counts = new Array<number>(bins).fill(0);
  for (const number of numbers) counts[Math.floor(number * bins)]!++;
  const expected = numbers.length / bins;
  return counts.reduce((total, count) => total + (count - expected) ** 2 / expected, 0);
}

describe('uniformAt', () => {
  it('stays in [0, 1) and repeats itself', () => {
    fc.assert(fc.property(seeds, fc.nat(1 << 30), (seed, position) => {
      const number = uniformAt(seed, position);
      expect(number).toBeGreaterThanOrEqual(0);
      expect(number).toBeLessThan(1);
      expect(uniformAt(seed, position)).toBe(number);
    }));
  });

  it('never changes: answers of earlier versions can be replayed', () => {
    expect([uniformAt(0n, 0), uniformAt(0n, 1), uniformAt(1n, 0), uniformAt(-1n, 4096)]).toMatchInlineSnapshot(`
      [
        0.8833108082136426,
        0.43152799704850997,
        0.7497482413580301,
        0.60839425652603,
      ]
    `);
  });

  it('is even over positions of one seed, and over seeds of one position', () => {
    const positions = Array.from({ length: 50_000 }, (_, position) => uniformAt(7n, position));
    const neighbours = Array.from({ length: 50_000 }, (_, seed) => uniformAt(BigInt(seed), 3));
    for (const numbers of [positions, neighbours]) expect(chiSquare(numbers, 100)).toBeLessThan(99 + 4 * Math.sqrt(2 * 99));
  });

  it('is even in pairs of neighbouring positions and of neighbouring seeds', () => {
    const pair = (first: number, second: number): number => (Math.floor(first * 16) + second) / 16;
    const positions = Array.from({ length: 50_000 }, (_, position) => pair(uniformAt(7n, 2 * position), uniformAt(7n, 2 * position + 1)));
    const neighbours = Array.from({ length: 50_000 }, (_, position) => pair(uniformAt(8n, position), uniformAt(9n, position)));
    for (const numbers of [positions, neighbours]) expect(chiSquare(numbers, 256)).toBeLessThan(255 + 4 * Math.sqrt(2 * 255));
  });

  it('does not repeat one seed as another seed shifted by some positions', () => {
    const step = 0x9e3779b97f4a7c15n;
    const stream = (seed: bigint): number[] => Array.from({ length: 100 }, (_, position) => uniformAt(seed, position));
    expect(stream(step).some((number) => stream(0n).includes(number))).toBe(false);
  });
});
