import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KvPool } from '@essaim/kv';
import { type Schedulable, Scheduler, type StepItem } from './scheduler.ts';
import { OVERTAKERS_PER_STEP } from './waiting-line.ts';

const LAYOUT = { layerCount: 1, keyWidth: 1, valueWidth: 1 };
const TOKEN_BYTES = 8;
const LIMITS = { waitingSequences: 8, runningSequences: 4, stepTokens: 16 };

let sequences = 0;

/** Its tokens are the numbers from `firstId` on; by default nobody else's. */
class Sequence implements Schedulable {
  tokenCount: number;
  readonly maxTokenCount: number;
  readonly priority: number;
  readonly #firstId: number;
  readonly #guesses: number;

  constructor(promptTokens: number, answerTokens: number, { firstId = 10_000 * sequences++, guesses = 0, priority = 0 } = {}) {
    this.priority = priority;
    this.#guesses = guesses;
    this.tokenCount = promptTokens;
    this.maxTokenCount = promptTokens + answerTokens;
    this.#firstId = firstId;
  }

  get copyableIds(): readonly number[] {
    return this.tokens(0, this.tokenCount - 1);
  }

  draft(most: number): readonly number[] {
    return this.tokens(this.tokenCount, Math.max(0, Math.min(most, this.#guesses)));
  }

  tokens(first: number, count: number): number[] {
    return Array.from({ length: count }, (_, index) => this.#firstId + first + index);
  }
}

function create(poolTokens = 1_000, stepTokens = LIMITS.stepTokens): { scheduler: Scheduler<Sequence>; pool: KvPool } {
  const pool = new KvPool(LAYOUT, poolTokens * TOKEN_BYTES);
  return { pool, scheduler: new Scheduler<Sequence>({ ...LIMITS, stepTokens }, pool) };
}

/**
 * Runs a step as an engine does: what was scheduled is in the cache then, and a sequence whose tokens all are gets one more. Of its guesses
 * half are right.
 */
function run(scheduler: Scheduler<Sequence>): StepItem<Sequence>[] {
  const step = scheduler.schedule();
  for (const { sequence, cache, first, count, draftIds } of step) {
    const rows = new Float32Array(count + draftIds.length);
    cache.append(0, rows.length, { keys: rows, values: rows });
    const right = Math.ceil(draftIds.length / 2);
    cache.commit(sequence.tokens(first, count + right));
    sequence.tokenCount += right;
    if (cache.length < sequence.tokenCount) continue;
    if (sequence.tokenCount === sequence.maxTokenCount) scheduler.finish(sequence);
    else sequence.tokenCount++;
  }
  return step;
}

const tokensOf = (step: readonly StepItem<Sequence>[]): number => step.reduce((sum, { count, draftIds }) => sum + count + draftIds.length, 0);
const guessesOf = (step: readonly StepItem<Sequence>[]): number[] => step.map(({ draftIds }) => draftIds.length);
const shape = (step: readonly StepItem<Sequence>[]): [first: number, count: number][] => step.map(({ first, count }) => [first, count]);

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
