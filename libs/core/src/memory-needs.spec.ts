import { expect, it } from 'vitest';
import { type MemoryNeeds, roomForExperts, spareBytes } from './memory-needs.ts';

const NEEDS: MemoryNeeds = { denseBytes: 30, kvBytes: 20, kvSlackBytes: 20, stepBytes: 10, expertBytes: 7 };

it('a worker has room for whole experts beside all else', () => {
  expect([79, 80, 86, 87, 100].map((memoryBytes) => roomForExperts(memoryBytes, NEEDS))).toEqual([0, 0, 0, 1, 2]);
  expect([79, 80, 100].map((memoryBytes) => spareBytes(memoryBytes, NEEDS))).toEqual([-1, 0, 20]);
  expect(spareBytes(100, NEEDS, 3)).toBe(-1);
});

it('there are none of a model without', () => {
  expect(roomForExperts(1_000, { ...NEEDS, expertBytes: 0 })).toBe(0);
});
