import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '@essaim/core';
import { ManualClock } from '@essaim/testing';
import { LoadPace } from './load-pace.ts';

let clock: ManualClock;
let isServing: boolean;
let pace: LoadPace;
beforeEach(() => {
  clock = new ManualClock();
  isServing = true;
  pace = new LoadPace({ clock, isServing: () => isServing });
});

/** Takes so long; its time goes by only while it runs. */
const lasting = (durationMs: number, began: number[] = []) => (): Promise<void> => {
  began.push(clock.nowMs());
  clock.pass(durationMs);
  return Promise.resolve();
};

/** Lets time pass until that is done. */
async function finish(work: Promise<unknown>): Promise<void> {
  const over = new AbortController();
  void work.then(() => over.abort());
  for (;;) {
    await setImmediate();
    if (over.signal.aborted) return;
    clock.pass(1);
  }
}

describe('loading while somebody is served', () => {
  it('rests for four times as long as each load took', async () => {
    const began: number[] = [];
    await finish(Promise.all([10, 30, 5].map((durationMs) => pace.load(lasting(durationMs, began)))));
    expect(began).toEqual([0, 50, 200]);
  });

  it('takes a fifth of the time at most, whatever each takes and however they come', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.record({ durationMs: fc.integer({ min: 0, max: 40 }), pauseMs: fc.nat(60) }), { minLength: 2, maxLength: 12 }), async (loads) => {
      const [beganMs, began]: [number, number[]] = [clock.nowMs(), []];
      pace = new LoadPace({ clock, isServing: () => true });
      for (const { durationMs, pauseMs } of loads) {
        await finish(pace.load(lasting(durationMs, began)));
        await clock.passInSteps(pauseMs);
      }
      const before = loads.slice(0, -1).reduce((sum, { durationMs }) => sum + durationMs, 0);
      expect(before).toBeLessThanOrEqual((began.at(-1)! - beganMs) / 5);
    }), { numRuns: 30 });
  });

  it('goes on without a rest as soon as nobody is served any more', async () => {
    const began: number[] = [];
    const both = Promise.all([pace.load(lasting(1_000, began)), pace.load(lasting(1, began))]);
    await setImmediate();
    await clock.passInSteps(200);
    expect(began).toEqual([0]);
    isServing = false;
    await finish(both);
    expect(began[1]).toBeLessThanOrEqual(1_250);
  });
});

describe('many loads', () => {
  it('no longer rest after ten seconds, since a worker may wait for their end; those that come later do', async () => {
    const began: number[] = [];
    await finish(Promise.all(Array.from({ length: 5 }, () => pace.load(lasting(1_000, began)))));
    expect(began).toEqual([0, 5_000, 10_000, 11_000, 12_000]);
    await clock.passInSteps(10_000);
    const later: number[] = [];
    const beganMs = clock.nowMs();
    await finish(Promise.all([1, 2].map(() => pace.load(lasting(10, later)))));
    expect(later.map((time) => time - beganMs)).toEqual([0, 50]);
  });
});

describe('loading while nobody is served', () => {
  it('never rests', async () => {
    isServing = false;
    const began: number[] = [];
    await Promise.all([10, 30, 5].map((durationMs) => pace.load(lasting(durationMs, began))));
    expect([began, clock.sleeping]).toEqual([[0, 10, 40], 0]);
  });
});

describe('a load that fails', () => {
  it('fails alone, and counts as loading', async () => {
    const failed = pace.load(() => (clock.pass(10), Promise.reject(new AppError('data_loss', 'the file is broken'))));
    const began: number[] = [];
    const next = pace.load(lasting(1, began));
    await expect(failed).rejects.toThrow('the file is broken');
    await finish(next);
    expect(began).toEqual([50]);
  });
});
