import { expect, it } from 'vitest';
import { seededRandom } from './random.ts';

const draw = (seed: number, count: number, bound: number): number[] => {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => random.below(bound));
};

it('draws the same for one seed and other numbers for another, all values about as often', () => {
  const draws = draw(7, 10_000, 10);
  expect(draws).toEqual(draw(7, 10_000, 10));
  expect(draws).not.toEqual(draw(8, 10_000, 10));
  const counts = Array.from({ length: 10 }, (_, value) => draws.filter((each) => each === value).length);
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
});
