import fc from 'fast-check';
import { expect, it } from 'vitest';
import { median, summarise } from './statistics.ts';

it('the median is the middle value, or the mean of the middle two', () => {
  expect(median([5])).toBe(5);
  expect(median([9, 1, 5])).toBe(5);
  expect(median([9, 1, 5, 100])).toBe(7);
  expect(median([10, 9, 2])).toBe(9);
});

it('a summary does not depend on the order and leaves its input alone', () => {
  fc.assert(fc.property(fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1 }), (values) => {
    const before = [...values];
    const { median: middle, min, max } = summarise(values);
    expect(summarise(values.toReversed())).toEqual({ median: middle, min, max });
    expect(min <= middle && middle <= max).toBe(true);
    expect(values).toEqual(before);
  }));
});
