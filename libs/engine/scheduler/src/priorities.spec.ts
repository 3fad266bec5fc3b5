import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { create, LIMITS, run, Sequence, shape, tokensOf } from '../test/sequences.ts';
import { type StepItem } from './scheduler.ts';
import { OVERTAKERS_PER_STEP } from './waiting-line.ts';

describe('priorities', () => {
  const at = (priority: number, promptTokens = 4, answerTokens = 6): Sequence => new Sequence(promptTokens, answerTokens, { priority });
  const members = (step: readonly StepItem<Sequence>[]): Set<Sequence> => new Set(step.map(({ sequence }) => sequence));

  it('let the better ones in first, and of those that are alike the one that came first', () => {
    const { scheduler } = create(10);
    const all = [at(1), at(0), at(-1), at(0)];
    for (const sequence of all) scheduler.submit(sequence);
    const served: Sequence[] = [];
    for (let step = run(scheduler); step.length > 0; step = run(scheduler)) if (served.at(-1) !== step[0]!.sequence) served.push(step[0]!.sequence);
    expect(served).toEqual([all[2], all[1], all[3], all[0]]);
  });

  it('share out what there is for prompts, but for the quarter of the one that is here longest', () => {
    const { scheduler } = create();
    scheduler.submit(at(1, 100));
    run(scheduler);
    const [worse, better] = [at(0, 2), at(-1, 30)];
    for (const sequence of [worse, better]) scheduler.submit(sequence);
    const step = run(scheduler);
    expect(shape(step)).toEqual([[16, 4], [0, 12]]);
    expect(step[1]!.sequence).toBe(better);
  });

  it('make running ones of worse priority give way, which go on later from what is still known of them', () => {
    const { scheduler, pool } = create();
    const patient = at(1, 60, 20);
    scheduler.submit(patient);
    for (let step = 0; step < 6; step++) run(scheduler);
    const tokensThen = patient.tokenCount;
    const urgent = [at(0), at(0), at(0), at(0)];
    for (const sequence of urgent.slice(0, 3)) scheduler.submit(sequence);
    expect(members(run(scheduler)).has(patient)).toBe(true);
    scheduler.submit(urgent[3]!);
    expect(members(run(scheduler))).toEqual(new Set(urgent));
    expect([scheduler.runningCount, scheduler.waitingCount, patient.tokenCount]).toEqual([4, 1, tokensThen + 1]);
    pool.checkIntegrity();
    for (const sequence of urgent) scheduler.remove(sequence);
    expect(shape(run(scheduler))).toEqual([[tokensThen, 1]]);
  });

  it('make running ones of worse priority give way also where memory is what lacks', () => {
    const { scheduler, pool } = create(60);
    const [patient, urgent] = [at(1, 20, 30), at(0, 20, 20)];
    scheduler.submit(patient);
    for (let step = 0; step < 5; step++) run(scheduler);
    scheduler.submit(urgent);
    expect(members(run(scheduler))).toEqual(new Set([urgent]));
    pool.checkIntegrity();
    while (scheduler.runningCount + scheduler.waitingCount > 0) run(scheduler);
    expect([patient, urgent].map(({ tokenCount, maxTokenCount }) => maxTokenCount - tokenCount)).toEqual([0, 0]);
  });

  it('send back nobody in vain: not for one that would not fit even then, nor more than it takes, nor those that are as good', () => {
    const { scheduler } = create(40);
    const [equal, large, small] = [at(0, 4, 6), at(2, 14, 6), at(3, 4, 6)];
    for (const sequence of [equal, large, small]) scheduler.submit(sequence);
    run(scheduler);
    const tooLarge = at(0, 30, 1);
    scheduler.submit(tooLarge);
    expect(members(run(scheduler))).toEqual(new Set([equal, large, small]));
    scheduler.remove(tooLarge);
    scheduler.submit(at(1, 14, 6));
    expect(members(run(scheduler)).has(large)).toBe(false);
    expect(members(run(scheduler)).has(small)).toBe(true);
  });

  it('send back the worst one where any would do', () => {
    const { scheduler } = create();
    const all = [at(1), at(3), at(2), at(3)];
    for (const sequence of all) scheduler.submit(sequence);
    run(scheduler);
    scheduler.submit(at(0));
    expect(members(run(scheduler)).has(all[3]!)).toBe(false);
    expect(scheduler.runningCount).toBe(LIMITS.runningSequences);
  });

  it('make nobody start over more than eight times', () => {
    const { scheduler } = create(20);
    const patient = at(1, 10, 10);
    scheduler.submit(patient);
    run(scheduler);
    for (let nth = 0; nth < 8; nth++) {
      const urgent = at(0);
      scheduler.submit(urgent);
      expect(members(run(scheduler))).toEqual(new Set([urgent]));
      scheduler.remove(urgent);
      expect(members(run(scheduler))).toEqual(new Set([patient]));
    }
    scheduler.submit(at(0));
    while (patient.tokenCount < patient.maxTokenCount) expect(members(run(scheduler))).toEqual(new Set([patient]));
  });

  it('hold nobody back for good: a sequence is done although better ones never stop coming', () => {
    const { scheduler } = create(10);
    const patient = at(1);
    scheduler.submit(patient);
    let others = 0;
    while (scheduler.runningCount + scheduler.waitingCount > 0 && patient.tokenCount < patient.maxTokenCount) {
      if (scheduler.waitingCount < 2) {
        scheduler.submit(at(0, 1, 1));
        others++;
      }
      run(scheduler);
    }
    expect(patient.tokenCount).toBe(patient.maxTokenCount);
    expect(others).toBeLessThanOrEqual(OVERTAKERS_PER_STEP + 10);
  });

  it('lose nobody and nothing, within memory and budget, and never run a worse one while a better one of its size waits', () => {
    const arrivals = fc.array(fc.record({ prompt: fc.integer({ min: 1, max: 24 }), atStep: fc.nat(40), priority: fc.integer({ min: -2, max: 2 }), guesses: fc.nat(4) }), { minLength: 1, maxLength: 9 });
    fc.assert(fc.property(arrivals, fc.integer({ min: 30, max: 100 }), (list, poolTokens) => {
      // Room for something of each in every step, so that who runs is seen there.
      const { scheduler, pool } = create(poolTokens, 4 * 31);
      const all = list.map(({ prompt, atStep, ...options }) => ({ sequence: new Sequence(prompt, 30 - prompt, options), atStep }));
      const unfinished = new Set<Sequence>();
      for (let nth = 0; nth < 700; nth++) {
        for (const { sequence, atStep } of all) {
          if (atStep !== nth || scheduler.waitingCount >= LIMITS.waitingSequences) continue;
          unfinished.add(sequence);
          scheduler.submit(sequence);
        }
        const step = run(scheduler);
        expect(tokensOf(step)).toBeLessThanOrEqual(4 * 31);
        expect(pool.usedBytes).toBeLessThanOrEqual(pool.budgetBytes);
        pool.checkIntegrity();
        const worst = Math.max(...step.map(({ sequence }) => sequence.priority));
        for (const { sequence } of step) if (sequence.tokenCount === sequence.maxTokenCount) unfinished.delete(sequence);
        for (const sequence of unfinished) if (!members(step).has(sequence)) expect(sequence.priority).toBeGreaterThanOrEqual(worst);
      }
      for (const { sequence } of all) if (unfinished.has(sequence)) expect(sequence.tokenCount).toBe(sequence.maxTokenCount);
      expect([scheduler.runningCount, scheduler.waitingCount, pool.usedBytes]).toEqual([0, 0, 0]);
    }));
  });
});
