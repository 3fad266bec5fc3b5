import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EXPERT_PHASES, LEAD_PHASES, NO_DEVICE_USE, NO_TIMES, type WorkerTimes } from '@essaim/core';
import { breakdownOf, meanBreakdown } from './breakdown.ts';

const times = (lead: Partial<WorkerTimes['lead']>, changes: Partial<WorkerTimes> = {}): WorkerTimes => ({ ...NO_TIMES, lead: { ...NO_TIMES.lead, ...lead }, ...changes });

const phases = <Phase extends string>(names: readonly Phase[]): fc.Arbitrary<Record<Phase, number>> =>
  fc.tuple(...names.map(() => fc.nat(1_000_000))).map((values) => Object.fromEntries(names.map((name, index) => [name, values[index]!])) as Record<Phase, number>);
const anyTimes: fc.Arbitrary<WorkerTimes> = fc.record({ lead: phases(LEAD_PHASES), expert: phases(EXPERT_PHASES), device: fc.constant(NO_DEVICE_USE), steps: fc.nat(1_000) });
const anyWorkers = fc.array(anyTimes, { minLength: 1, maxLength: 4 }).map((each) => new Map(each.map((one, index) => [`w${index}`, one])));

const stack = (lead: WorkerTimes['lead']): number => LEAD_PHASES.reduce((sum, phase) => sum + lead[phase], 0);

describe('where the time of a token went', () => {
  it('adds up to the time of the load for each token, whatever the workers told', () => {
    fc.assert(fc.property(anyWorkers, anyWorkers, fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 1, max: 5_000 }), (before, after, durationMs, tokens) => {
      expect(stack(breakdownOf(before, after, { durationMs, tokens }).lead)).toBeCloseTo((1_000 * durationMs) / tokens, 6);
    }));
  });

  it('is what grew between two tellings, mean over the workers, and the idle time outside the load does not count', () => {
    const before = new Map([['w1', times({ dense: 500, idle: 9_000 }, { steps: 1 })], ['w2', times({ remote: 100 })]]);
    const after = new Map([
      ['w1', times({ dense: 4_500, idle: 2_000_000 }, { steps: 5, expert: { queue: 80, compute: 400, serialise: 0 } })],
      ['w2', times({ remote: 2_100, dense: 2_000, idle: 1_000_000 }, { steps: 3 })],
    ]);
    const { lead, expert, steps } = breakdownOf(before, after, { durationMs: 5, tokens: 10 });
    expect(lead).toEqual({ ...NO_TIMES.lead, dense: 300, remote: 100, idle: 100 });
    expect(expert).toEqual({ queue: 4, compute: 20, serialise: 0 });
    expect(steps).toBe(3.5);
  });

  it('over rounds is their mean, so that it still adds up', () => {
    const rounds = [3, 8].map((durationMs) => breakdownOf(new Map(), new Map([['w1', times({ dense: 1_000 * (durationMs - 2) })]]), { durationMs, tokens: 1 }));
    expect(meanBreakdown(rounds).lead).toEqual({ ...NO_TIMES.lead, dense: 3_500, idle: 2_000 });
  });
});
