import { describe, expect, it } from 'vitest';
import { workerId } from '@essaim/core';
import { SUSPICION_STEPS, Suspects } from './suspects.ts';

const worker = workerId('worker-1');

describe('Suspects', () => {
  it('suspects for a bounded number of steps', () => {
    const suspects = new Suspects();
    suspects.add(worker, 10);
    const [last, over] = [10 + SUSPICION_STEPS - 1, 10 + SUSPICION_STEPS];
    expect([suspects.has(worker, last), suspects.any(last)]).toEqual([true, true]);
    expect([suspects.has(worker, over), suspects.any(over)]).toEqual([false, false]);
  });

  it('acquits under a newer snapshot, not under the same or an older one', () => {
    const suspects = new Suspects();
    suspects.observe(5);
    suspects.add(worker, 0);
    for (const epoch of [5, 4]) suspects.observe(epoch);
    expect(suspects.has(worker, 1)).toBe(true);
    suspects.observe(6);
    expect(suspects.has(worker, 1)).toBe(false);
  });
});
