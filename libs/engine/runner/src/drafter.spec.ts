import { describe, expect, it } from 'vitest';
import { Drafter } from './drafter.ts';

/** A sequence that repeats one token, so that there is always a guess. */
const repetitive = (): number[] => new Array<number>(10).fill(7);

describe('a drafter', () => {
  it('guesses nothing where it may not', () => {
    expect(new Drafter(repetitive(), 0).draft(8)).toEqual([]);
    expect(new Drafter(repetitive(), 8).draft(0)).toEqual([]);
    expect(new Drafter(repetitive(), 8).draft(-1)).toEqual([]);
  });

  it('guesses no more than asked for, nor than its limit', () => {
    expect(new Drafter(repetitive(), 8).draft(3)).toHaveLength(3);
    expect(new Drafter(repetitive(), 8).draft(100)).toHaveLength(8);
  });

  it('reaches one token further than it was right, and twice as far again where it was right to the end', () => {
    const drafter = new Drafter(repetitive(), 8);
    const reached = [[8, 2], [3, 3], [6, 6], [8, 8], [8, 8]].map(([drafted, accepted]) => {
      expect(drafter.draft(100)).toHaveLength(drafted!);
      drafter.learn(drafted!, accepted!);
      return drafter.draft(100).length;
    });
    expect(reached).toEqual([3, 6, 8, 8, 8]);
    expect(drafter.counts).toEqual({ accepted: 27, rejected: 6 });
  });

  it('is not set back by a step that had little room', () => {
    const drafter = new Drafter(repetitive(), 8);
    drafter.learn(1, 1);
    expect(drafter.draft(100)).toHaveLength(8);
  });

  it('pauses for twice as many tokens after each draft that was all wrong, never for more than 64, until one is right', () => {
    const tokens = repetitive();
    const drafter = new Drafter(tokens, 4);
    const pause = (): number => {
      for (let waited = 0; ; waited++) {
        if (drafter.draft(4).length > 0) return waited;
        tokens.push(7);
      }
    };
    const pauses = Array.from({ length: 9 }, () => {
      drafter.learn(1, 0);
      return pause();
    });
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 64, 64, 64]);
    drafter.learn(1, 1);
    expect(pause()).toBe(0);
    drafter.learn(2, 0);
    expect(pause()).toBe(1);
  });

  it('learns nothing from a step without guesses', () => {
    const drafter = new Drafter(repetitive(), 4);
    drafter.learn(0, 0);
    expect(drafter.draft(4)).toHaveLength(4);
  });
});
