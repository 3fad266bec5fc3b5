import { describe, expect, it } from 'vitest';
import { fittingKvBytes, type MemoryNeeds, roomForExperts, spareBytes } from './memory-needs.ts';

const NEEDS: MemoryNeeds = { denseBytes: 30, kvBytes: 20, kvSlackBytes: 20, stepBytes: 10, expertBytes: 7 };

it('a worker has room for whole experts beside all else', () => {
  expect([79, 80, 86, 87, 100].map((memoryBytes) => roomForExperts(memoryBytes, NEEDS))).toEqual([0, 0, 0, 1, 2]);
  expect([79, 80, 100].map((memoryBytes) => spareBytes(memoryBytes, NEEDS))).toEqual([-1, 0, 20]);
  expect(spareBytes(100, NEEDS, 3)).toBe(-1);
});

it('there are none of a model without', () => {
  expect(roomForExperts(1_000, { ...NEEDS, expertBytes: 0 })).toBe(0);
});

describe('keys and values', () => {
  const MIB = 2 ** 20;
  const needs: MemoryNeeds = { denseBytes: 10 * MIB, kvBytes: 20 * MIB, kvSlackBytes: 20 * MIB, stepBytes: 0, expertBytes: 5 * MIB };
  const fitting = (mib: number, leastMib = 1): number => fittingKvBytes(mib * MIB, needs, { experts: 4, leastBytes: leastMib * MIB }) / MIB;

  it('have what was wanted where it fits beside the experts, and with their slack whole MiB of what is left where it does not', () => {
    expect([71, 70, 69, 68, 67, 50].map((mib) => fitting(mib))).toEqual([20, 20, 19, 19, 18, 10]);
  });

  it('never have less than the least, nor more than was wanted', () => {
    expect([40, 35, 31, 0].map((mib) => fitting(mib, 3.5))).toEqual([5, 4, 4, 4]);
    expect(fitting(31, 30)).toBe(20);
  });
});
