import { expect, it } from 'vitest';
import { activeBytes, activeWeights, fourBits, promptFlops } from './active-weights.ts';
import { SYNTHETIC_LARGE, SYNTHETIC_MIXTRAL } from './synthetic/model.ts';

it('counts the matrices that one token is multiplied with', () => {
  const attention = 1024 * 64 * (16 + 4 + 4 + 16);
  const experts = 2 * 3 * 1024 * 3584;
  const weights = activeWeights(SYNTHETIC_MIXTRAL);
  expect(weights).toEqual({ layers: 16 * (attention + experts), head: 32_000 * 1024, router: 16 * 8 * 1024 });
  expect(promptFlops(weights)).toBe(2 * 16 * (attention + experts + 8 * 1024));
});

it('in bytes as each part of the model is kept', () => {
  const weights = activeWeights(SYNTHETIC_LARGE);
  expect(fourBits(2)).toBe(18 / 32);
  expect(activeBytes(weights, { layers: 2, head: 4 })).toBe(2 * weights.layers + 4 * weights.head + 4 * weights.router);
});
