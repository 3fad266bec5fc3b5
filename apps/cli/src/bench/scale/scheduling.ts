import { assert } from '@essaim/core';
import { KvPool } from '@essaim/kv';
import { type Schedulable, Scheduler } from '@essaim/scheduler';
import { processorNs } from './processor-time.ts';

/** Tokens that each sequence generates before another one takes its place. */
const ANSWER_TOKENS = 64;
/** One number a token: what a model stores is not what is measured. */
const LAYOUT = { layerCount: 1, keyWidth: 1, valueWidth: 1, dtype: 'f32' } as const;
/** Tokens of one measurement, at least. */
const MEASURED_TOKENS = 400_000;

/** A sequence without a model: a prompt of one token, after which it needs one token in each step. */
class Decoding implements Schedulable {
  readonly maxTokenCount = 1 + ANSWER_TOKENS;
  readonly copyableIds: readonly number[] = [];
  readonly priority = 0;
  tokenCount = 1;

  draft(): readonly number[] {
    return this.copyableIds;
  }
}

/**
 * Nanoseconds that a lead worker spends for each active token on deciding what a step computes and on recording that it was computed,
 * with so many sequences in every step. Sequences end and begin all the time, the same number in each step.
 */
export async function measureScheduling(sequences: number): Promise<number> {
  const pool = new KvPool(LAYOUT, sequences * (1 + ANSWER_TOKENS) * 8);
  const scheduler = new Scheduler<Decoding>({ waitingSequences: sequences, runningSequences: sequences, stepTokens: 2 * sequences }, pool);
  beginStaggered(scheduler, sequences);
  const steps = Math.ceil(MEASURED_TOKENS / sequences);
  run(scheduler, Math.max(ANSWER_TOKENS, steps >> 2));
  let tokens = 0;
  const ns = await processorNs(() => (tokens = run(scheduler, steps)));
  assert(tokens === steps * sequences, 'every step has a token of every sequence');
  return ns / tokens;
}

/** So that they don't all end in the same step. */
function beginStaggered(scheduler: Scheduler<Decoding>, sequences: number): void {
  for (let step = 0; step < ANSWER_TOKENS; step++) {
    for (let nth = step; nth < sequences; nth += ANSWER_TOKENS) scheduler.submit(new Decoding());
    run(scheduler, 1);
  }
}

/** Returns how many tokens were active in all steps together. */
function run(scheduler: Scheduler<Decoding>, steps: number): number {
  let tokens = 0;
  for (let step = 0; step < steps; step++) {
    for (const { sequence, cache, count } of scheduler.schedule()) {
      cache.commit([tokens]);
      tokens += count;
      if (++sequence.tokenCount <= sequence.maxTokenCount) continue;
      scheduler.finish(sequence);
      scheduler.submit(new Decoding());
    }
  }
  return tokens;
}
