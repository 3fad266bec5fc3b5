import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KvPool } from '@essaim/kv';
import { LAYOUT, LIMITS, run, Sequence, shape, TOKEN_BYTES, tokensOf } from '../test/sequences.ts';
import { Scheduler, type StepItem } from './scheduler.ts';

describe('the time of a step', () => {
  const paced = (stepTokens = 256): Scheduler<Sequence> => new Scheduler<Sequence>({ ...LIMITS, stepTokens, pace: { stepMs: 100, leastTokens: 16 } }, new KvPool(LAYOUT, 100_000 * TOKEN_BYTES));

  /** On a machine whose steps take 20 ms and so many more for each token. */
  const runFor = (scheduler: Scheduler<Sequence>, tokenMs = 2): StepItem<Sequence>[] => {
    const step = run(scheduler);
    scheduler.took(step, 20 + tokenMs * tokensOf(step));
    return step;
  };

  it('does not bound prompts that hold nobody up', () => {
    const scheduler = paced();
    scheduler.submit(new Sequence(1_000, 1));
    expect([runFor(scheduler), runFor(scheduler)].map(tokensOf)).toEqual([256, 256]);
  });

  it('bounds prompts beside answers under way, to what the machine can do meanwhile', () => {
    const scheduler = paced();
    scheduler.submit(new Sequence(1, 1_000));
    runFor(scheduler);
    scheduler.submit(new Sequence(10_000, 1));
    expect(shape(runFor(scheduler))).toEqual([[1, 1], [0, 16]]);
    for (let nth = 0; nth < 20; nth++) runFor(scheduler);
    // 20 + 2 * 40 ms are the 100 that are allowed.
    expect([39, 40]).toContain(tokensOf(runFor(scheduler)));
    for (let nth = 0; nth < 20; nth++) runFor(scheduler, 8);
    expect(tokensOf(runFor(scheduler, 8))).toBe(17);
    for (let nth = 0; nth < 20; nth++) runFor(scheduler, 0.1);
    expect(tokensOf(runFor(scheduler, 0.1))).toBe(256);
  });

  it('leaves every answer its token in every step and brings every prompt on, however slow steps are', () => {
    const durations = fc.array(fc.double({ min: 0, max: 1e5, noNaN: true }), { minLength: 1, maxLength: 20 });
    fc.assert(fc.property(durations, fc.integer({ min: 1, max: 3 }), fc.integer({ min: 17, max: 400 }), fc.nat(9), (list, answers, promptTokens, guesses) => {
      const scheduler = paced(64);
      const running = Array.from({ length: answers }, () => new Sequence(1, 2_000, { guesses }));
      for (const sequence of running) scheduler.submit(sequence);
      run(scheduler);
      const prompt = new Sequence(promptTokens, 1);
      scheduler.submit(prompt);
      for (let nth = 0; prompt.tokenCount === promptTokens; nth++) {
        expect(nth).toBeLessThan(Math.ceil(promptTokens / 16));
        const step = run(scheduler);
        scheduler.took(step, list[nth % list.length]!);
        expect(running.every((sequence) => step.some((item) => item.sequence === sequence))).toBe(true);
        expect(tokensOf(step)).toBeLessThanOrEqual(64);
      }
    }));
  });
});
