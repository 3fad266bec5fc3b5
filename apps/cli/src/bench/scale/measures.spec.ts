import { expect, it } from 'vitest';
import { measureDispatch, measureRouting } from './dispatching.ts';
import { measureScheduling } from './scheduling.ts';

it('a step of a few sequences takes some time for each of them', async () => {
  expect(await measureScheduling(1_000)).toBeGreaterThan(0);
});

it('a layer of a few tokens takes some time for each of them, also with more workers than experts', async () => {
  expect(await measureDispatch({ tokens: 1_000, experts: 8, workers: 64 })).toBeGreaterThan(0);
  expect(await measureRouting({ tokens: 1_000, experts: 8 })).toBeGreaterThan(0);
});
