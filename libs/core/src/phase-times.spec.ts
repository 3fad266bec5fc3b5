import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Durations, PhaseTimes } from './phase-times.ts';

const PHASES = ['work', 'wait', 'idle'] as const;
type Phase = (typeof PHASES)[number];

const sum = (spent: Readonly<Record<Phase, number>>): number => Object.values(spent).reduce((total, each) => total + each, 0);

/** Time passes, then something happens. */
const anyHistory = fc.array(fc.record({
  afterMs: fc.double({ min: 0, max: 50, noNaN: true }), phase: fc.constantFrom(...PHASES), act: fc.constantFrom('enter' as const, 'within' as const, 'read' as const),
}));

describe('the phases of somebody who does one thing after the other', () => {
  it('add up to the time that passed, whatever it did', () => {
    fc.assert(fc.property(anyHistory, fc.double({ min: 0, max: 1e9, noNaN: true }), (history, beganMs) => {
      let nowMs = beganMs;
      const times = new PhaseTimes(PHASES, 'idle', { nowMs: () => nowMs });
      for (const { afterMs, phase, act } of history) {
        nowMs += afterMs;
        if (act === 'enter') times.enter(phase);
        else if (act === 'read') times.read();
        else times.within(phase, () => void (nowMs += afterMs));
        expect(sum(times.read())).toBe(Math.round(1_000 * nowMs) - Math.round(1_000 * beganMs));
      }
    }));
  });

  it('each have the time between entering them and entering the next', () => {
    let nowMs = 0;
    const times = new PhaseTimes(PHASES, 'idle', { nowMs: () => nowMs });
    nowMs = 5;
    expect(times.enter('work')).toBe('idle');
    nowMs = 12;
    times.within('wait', () => void (nowMs = 14));
    nowMs = 15;
    expect(times.read()).toEqual({ idle: 5_000, work: 8_000, wait: 2_000 });
  });

  it('are gone back to when work in between fails', () => {
    let nowMs = 0;
    const times = new PhaseTimes(PHASES, 'work', { nowMs: () => nowMs });
    const fail = (): never => {
      nowMs = 1;
      throw new Error('no');
    };
    expect(() => times.within('wait', fail)).toThrow('no');
    nowMs = 3;
    expect(times.read()).toEqual({ idle: 0, work: 2_000, wait: 1_000 });
  });
});

describe('durations of what runs side by side', () => {
  it('count each in full', () => {
    let nowMs = 0;
    const durations = new Durations(PHASES, { nowMs: () => nowMs });
    durations.add('wait', 0.25);
    durations.add('wait', 1.5);
    expect(durations.within('work', () => (nowMs += 3))).toBe(3);
    expect(durations.read()).toEqual({ work: 3_000, wait: 1_750, idle: 0 });
  });
});
