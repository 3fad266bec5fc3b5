import { describe, expect, it } from 'vitest';
import { gapsIn, quantile } from './gaps.ts';

describe('the waits of streams for their tokens', () => {
  it('are those of the period, of all streams together', () => {
    expect(gapsIn([[0, 10, 20, 50], [5, 15, 40]], { fromMs: 10, toMs: 20 })).toEqual({ count: 3, median: 10, p99: 25, lastedMs: 10 });
  });

  it('count one that began before the period or ends after it', () => {
    expect(gapsIn([[0, 100]], { fromMs: 40, toMs: 60 })).toEqual({ count: 1, median: 100, p99: 100, lastedMs: 20 });
  });
});

describe('a quantile', () => {
  it('is a value that was measured, the largest one where few were', () => {
    expect(quantile([3, 1, 2], 0.99)).toBe(3);
    expect(quantile([3, 1, 2], 0.5)).toBe(2);
    expect(quantile(Array.from({ length: 200 }, (_, nth) => nth + 1), 0.99)).toBe(198);
  });
});
