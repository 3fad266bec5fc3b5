import { KvPool } from '@essaim/kv';
import { type Schedulable, Scheduler, type StepItem } from '../src/scheduler.ts';

export const LAYOUT = { layerCount: 1, keyWidth: 1, valueWidth: 1, dtype: 'f32' } as const;
export const TOKEN_BYTES = 8;
export const LIMITS = { waitingSequences: 8, runningSequences: 4, stepTokens: 16 };

let sequences = 0;

/** Its tokens are the numbers from `firstId` on; by default nobody else's. */
export class Sequence implements Schedulable {
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

export function create(poolTokens = 1_000, stepTokens = LIMITS.stepTokens): { scheduler: Scheduler<Sequence>; pool: KvPool } {
  const pool = new KvPool(LAYOUT, poolTokens * TOKEN_BYTES);
  return { pool, scheduler: new Scheduler<Sequence>({ ...LIMITS, stepTokens }, pool) };
}

/**
 * Runs a step as an engine does: what was scheduled is in the cache then, and a sequence whose tokens all are gets one more. Of its guesses
 * half are right.
 */
export function run(scheduler: Scheduler<Sequence>): StepItem<Sequence>[] {
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

export const tokensOf = (step: readonly StepItem<Sequence>[]): number => step.reduce((sum, { count, draftIds }) => sum + count + draftIds.length, 0);
export const guessesOf = (step: readonly StepItem<Sequence>[]): number[] => step.map(({ draftIds }) => draftIds.length);
export const shape = (step: readonly StepItem<Sequence>[]): [first: number, count: number][] => step.map(({ first, count }) => [first, count]);
