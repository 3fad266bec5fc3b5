import { describe, expect, it } from 'vitest';
import { awaitChange, awaitValue, following, set, valueOf } from './compute-signal.ts';

const signal = (): Int32Array => new Int32Array(new SharedArrayBuffer(8));

describe('numbers of jobs', () => {
  it('go on after the largest that shared memory holds', () => {
    const integers = signal();
    for (let number = 2 ** 31 - 3, jobs = 0; jobs < 6; jobs++) {
      const next = following(number);
      set(integers, 0, next);
      expect(awaitChange(integers, 0, number)).toBe(next);
      awaitValue(integers, 0, next);
      number = next;
    }
    expect(Atomics.load(integers, 0)).toBe(-(2 ** 31) + 3);
  });

  it('are awaited without blocking', async () => {
    const integers = signal();
    const waited = valueOf(integers, 1, 7);
    set(integers, 1, 3);
    set(integers, 1, 7);
    await waited;
  });
});
