import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { create, guessesOf, LIMITS, run, Sequence, shape, tokensOf } from '../test/sequences.ts';

describe('a scheduler', () => {
  it('gives running sequences their token first and prompts the rest, in chunks', () => {
    const { scheduler } = create();
    scheduler.submit(new Sequence(2, 10));
    run(scheduler);
    scheduler.submit(new Sequence(30, 1));
    expect(shape(run(scheduler))).toEqual([[2, 1], [0, 15]]);
    expect(shape(run(scheduler))).toEqual([[3, 1], [15, 15]]);
    expect(shape(run(scheduler))).toEqual([[4, 1], [30, 1]]);
  });

  it('runs no more at once than its limit, in the order in which they came', () => {
    const { scheduler } = create();
    const all = Array.from({ length: 6 }, () => new Sequence(1, 1));
    for (const sequence of all) scheduler.submit(sequence);
    expect(run(scheduler).map(({ sequence }) => sequence)).toEqual(all.slice(0, 4));
    expect([scheduler.runningCount, scheduler.waitingCount]).toEqual([4, 2]);
  });

  it('refuses what its queue has no room for, with a sentence', () => {
    const { scheduler } = create();
    for (let index = 0; index < LIMITS.waitingSequences; index++) scheduler.submit(new Sequence(1, 1));
    expect(() => scheduler.submit(new Sequence(1, 1))).toThrow('8 sequences wait on this worker already');
  });

  it('refuses at once what would never fit its memory', () => {
    const { scheduler } = create(20);
    expect(() => scheduler.submit(new Sequence(15, 6))).toThrow('a sequence of 21 tokens does not fit');
    scheduler.submit(new Sequence(15, 5));
  });

  it('lets one that has to wait for memory hold back those behind it', () => {
    const { scheduler } = create(20);
    const [large, larger, small] = [new Sequence(10, 2), new Sequence(10, 2), new Sequence(1, 1)];
    for (const sequence of [large, larger, small]) scheduler.submit(sequence);
    expect(run(scheduler).map(({ sequence }) => sequence)).toEqual([large]);
    scheduler.remove(large);
    expect(new Set(run(scheduler).map(({ sequence }) => sequence))).toEqual(new Set([larger, small]));
  });

  it('frees everything of a sequence that is removed, waiting or running', () => {
    const { scheduler, pool } = create();
    const all = Array.from({ length: 6 }, () => new Sequence(3, 3));
    for (const sequence of all) scheduler.submit(sequence);
    run(scheduler);
    for (const sequence of all) scheduler.remove(sequence);
    expect([scheduler.runningCount, scheduler.waitingCount, pool.usedBytes]).toEqual([0, 0, 0]);
    expect(scheduler.schedule()).toEqual([]);
  });

  it('computes of a prompt only what no other sequence has computed, running or finished', () => {
    const { scheduler } = create();
    const alike = (promptTokens: number): Sequence => new Sequence(promptTokens, 1, { firstId: 77_000 });
    scheduler.submit(alike(40));
    expect(shape(run(scheduler))).toEqual([[0, 16]]);
    scheduler.submit(alike(60));
    expect(shape(run(scheduler))).toEqual([[16, 16]]);
    expect(shape(run(scheduler))).toEqual([[32, 8], [32, 8]]);
    scheduler.submit(alike(40));
    expect(shape(run(scheduler))).toEqual([[40, 1], [39, 1], [40, 14]]);
  });

  it('leaves nothing of a sequence that is removed to those that begin alike', () => {
    const { scheduler } = create();
    const failed = new Sequence(60, 1, { firstId: 77_000 });
    scheduler.submit(failed);
    for (let step = 0; step < 3; step++) run(scheduler);
    scheduler.remove(failed);
    scheduler.submit(new Sequence(60, 1, { firstId: 77_000 }));
    expect(shape(run(scheduler))).toEqual([[0, 16]]);
  });

  it('lets the shortest prompts through first, while the oldest goes on with a quarter of what there is for prompts', () => {
    const { scheduler } = create(3_000);
    scheduler.submit(new Sequence(2_000, 1));
    expect(shape(run(scheduler))).toEqual([[0, 16]]);
    scheduler.submit(new Sequence(30, 1));
    scheduler.submit(new Sequence(10, 1));
    expect(shape(run(scheduler))).toEqual([[16, 4], [0, 10], [0, 2]]);
    expect(shape(run(scheduler))).toEqual([[10, 1], [20, 4], [2, 11]]);
  });

  it('gives a short prompt its first token within steps that its own length bounds, however long the prompt before it is', () => {
    fc.assert(fc.property(fc.integer({ min: 200, max: 2_000 }), fc.integer({ min: 1, max: 90 }), fc.integer({ min: 0, max: 2 }), (long, short, answers) => {
      const { scheduler } = create(10_000);
      for (let nth = 0; nth < answers; nth++) scheduler.submit(new Sequence(1, 1_000));
      scheduler.submit(new Sequence(long, 1));
      run(scheduler);
      const late = new Sequence(short, 2);
      scheduler.submit(late);
      let steps = 0;
      for (; late.tokenCount === short; steps++) run(scheduler);
      expect(steps).toBeLessThanOrEqual(Math.ceil(short / (0.75 * (LIMITS.stepTokens - answers) - 1)));
    }));
  });

  it('gives guesses what prompts leave, in equal shares', () => {
    const { scheduler } = create();
    for (const guesses of [9, 1, 9]) scheduler.submit(new Sequence(1, 100, { guesses }));
    run(scheduler);
    expect(guessesOf(run(scheduler))).toEqual([4, 1, 8]);
    scheduler.submit(new Sequence(22, 1));
    expect(guessesOf(run(scheduler))).toEqual([0, 0, 0, 0]);
    expect(guessesOf(run(scheduler))).toEqual([1, 1, 2, 0]);
  });

  it('has no guess of a token that would never be computed', () => {
    const { scheduler } = create();
    scheduler.submit(new Sequence(1, 4, { guesses: 9 }));
    expect(guessesOf(run(scheduler))).toEqual([3]);
    expect(guessesOf(run(scheduler))).toEqual([0]);
  });

  it('brings every prompt on while short ones keep coming', () => {
    const { scheduler } = create(10_000);
    const long = [new Sequence(400, 1), new Sequence(400, 1)];
    for (const sequence of long) scheduler.submit(sequence);
    let steps = 0;
    for (; long.some(({ tokenCount }) => tokenCount === 400); steps++) {
      if (scheduler.waitingCount === 0) scheduler.submit(new Sequence(12, 1));
      run(scheduler);
    }
    // A quarter of what the answers leave of 16 tokens, rounded up, is 4: 100 steps for each.
    expect(steps).toBeLessThanOrEqual(201);
  });

  it('computes or copies every token of every sequence exactly once, in order, within the budget of each step', () => {
    const arrivals = fc.array(fc.record({ prompt: fc.integer({ min: 1, max: 40 }), answer: fc.integer({ min: 1, max: 12 }), atStep: fc.nat(10), beginning: fc.nat(2), guesses: fc.nat(9) }), { minLength: 1, maxLength: 8 });
    fc.assert(fc.property(arrivals, (list) => {
      const { scheduler, pool } = create(120);
      const sequences = list.map(({ prompt, answer, atStep, beginning, guesses }) => ({ sequence: new Sequence(prompt, answer, { firstId: beginning * 1_000, guesses }), atStep }));
      const computed = new Map(sequences.map(({ sequence }) => [sequence, 0]));
      for (let nth = 0; nth < 500; nth++) {
        for (const { sequence, atStep } of sequences) if (atStep === nth) scheduler.submit(sequence);
        const step = run(scheduler);
        expect(tokensOf(step)).toBeLessThanOrEqual(LIMITS.stepTokens);
        for (const { sequence, cache, first, count, draftIds } of step) {
          expect(first).toBeGreaterThanOrEqual(computed.get(sequence)!);
          expect(first + count + draftIds.length).toBeLessThanOrEqual(sequence.maxTokenCount);
          computed.set(sequence, cache.length);
        }
        pool.checkIntegrity();
      }
      for (const [sequence, tokens] of computed) expect(tokens).toBe(sequence.maxTokenCount);
      expect(pool.usedBytes).toBe(0);
    }));
  });
});
