import { AppError, assert } from '@essaim/core';
import { type KvCache, type KvPool } from '@essaim/kv';

/** What the scheduler must know of a sequence. */
export interface Schedulable {
  /** Prompt and answer so far. */
  readonly tokenCount: number;
  /** The most tokens that it may reach. */
  readonly maxTokenCount: number;
  /** Its leading tokens whose keys and values may be copied from another sequence; the others must be computed, the last one always. */
  readonly copyableIds: readonly number[];
  /** Guesses of the tokens that come next, at most `most` of them. */
  draft(most: number): readonly number[];
}

export interface SchedulerLimits {
  readonly waitingSequences: number;
  readonly runningSequences: number;
  /** Tokens of one step: running sequences first, then prompts, the rest for guesses. */
  readonly stepTokens: number;
}

/** Part of one step: `count` tokens of a sequence from position `first`. */
export interface StepItem<S> {
  readonly sequence: S;
  readonly cache: KvCache;
  readonly first: number;
  readonly count: number;
  /** Guesses of the tokens behind them, for the same step to verify. */
  readonly draftIds: readonly number[];
}

interface Running<S> {
  readonly sequence: S;
  readonly cache: KvCache;
}

/** Of what a step has for prompts, the share of the prompt that is here longest: it arrives in the end, however many short ones come. */
const OLDEST_SHARE = 0.25;

/**
 * Decides what each step computes. Every running sequence that only needs its newest token gets it in every step; what is left of the
 * step's tokens goes to prompts, in chunks, so that no prompt stalls the answers under way. The prompt with the fewest tokens left
 * comes first, so that a long one holds back nobody. What is left even then goes to guesses of running sequences, in equal shares. Owns the
 * KV caches of what runs.
 */
export class Scheduler<S extends Schedulable> {
  readonly #limits: SchedulerLimits;
  readonly #pool: KvPool;
  readonly #waiting: S[] = [];
  /** In the order in which they were let in. */
  readonly #running = new Map<S, Running<S>>();

  constructor(limits: SchedulerLimits, pool: KvPool) {
    assert(limits.stepTokens > limits.runningSequences, 'a step has room for a prompt beside every running sequence');
    this.#limits = limits;
    this.#pool = pool;
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  get runningCount(): number {
    return this.#running.size;
  }

  /** Queues a sequence. Fails with `resource_exhausted` when the queue is full or the sequence is larger than all the memory for keys and values. */
  submit(sequence: S): void {
    if (!this.#pool.couldEverHold(sequence.maxTokenCount)) {
      throw new AppError('resource_exhausted', `a sequence of ${sequence.maxTokenCount} tokens does not fit the ${this.#pool.budgetBytes} bytes for keys and values of this worker: ask for fewer tokens`);
    }
    if (this.#waiting.length >= this.#limits.waitingSequences) {
      throw new AppError('resource_exhausted', `${this.#limits.waitingSequences} sequences wait on this worker already: try again later`);
    }
    this.#waiting.push(sequence);
  }

  /** Forgets a sequence, wherever it is, and frees its memory. Not while a step that it is part of runs. */
  remove(sequence: S): void {
    this.#take(sequence)?.release();
  }

  /** The same, but leaves what was computed of it to sequences that begin alike. Not for one that failed. */
  finish(sequence: S): void {
    this.#take(sequence)?.keep();
  }

  /** The next step; empty when there is nothing to compute. */
  schedule(): StepItem<S>[] {
    this.#admit();
    const [newest, prompts]: [Running<S>[], Running<S>[]] = [[], []];
    for (const each of this.#running.values()) {
      const tokens = missing(each);
      if (tokens === 1) newest.push(each);
      else if (tokens > 1) prompts.push(each);
    }
    const budget = this.#limits.stepTokens - newest.length;
    const chunks = this.#share(prompts, budget);
    return [...draft(newest, chunks.reduce((left, { count }) => left - count, budget)), ...chunks];
  }

  /** Chunks of prompts, which are in the order in which they came, for `budget` tokens altogether. */
  #share(prompts: readonly Running<S>[], budget: number): StepItem<S>[] {
    const counts = new Map<Running<S>, number>();
    let left = budget;
    const give = (each: Running<S>, most: number): void => {
      const given = counts.get(each) ?? 0;
      // What was computed for another sequence meanwhile is copied.
      if (given === 0) this.#pool.extend(each.cache, each.sequence.copyableIds);
      const count = Math.min(missing(each) - given, most);
      counts.set(each, given + count);
      left -= count;
    };
    const [oldest] = prompts;
    if (oldest !== undefined) give(oldest, Math.ceil(budget * OLDEST_SHARE));
    for (const each of prompts.toSorted((one, other) => missing(one) - missing(other))) if (left > 0) give(each, left);
    return [...counts].map(([each, count]) => item(each, count));
  }

  /** Takes a sequence out and returns its cache, if it has one. */
  #take(sequence: S): KvCache | null {
    const running = this.#running.get(sequence);
    if (running !== undefined) {
      this.#running.delete(sequence);
      return running.cache;
    }
    const waiting = this.#waiting.indexOf(sequence);
    if (waiting >= 0) this.#waiting.splice(waiting, 1);
    return null;
  }

  /** First come, first served: one that does not fit yet holds back those behind it, so that it is not starved. */
  #admit(): void {
    while (this.#waiting.length > 0 && this.#running.size < this.#limits.runningSequences) {
      const { maxTokenCount, copyableIds } = this.#waiting[0]!;
      const cache = this.#pool.reserve(maxTokenCount, copyableIds);
      if (cache === null) return;
      const sequence = this.#waiting.shift()!;
      this.#running.set(sequence, { sequence, cache });
    }
  }
}

/** Tokens that are not in the cache yet. */
const missing = ({ sequence, cache }: Running<Schedulable>): number => sequence.tokenCount - cache.length;

const item = <S>({ sequence, cache }: Running<S>, count: number): StepItem<S> => ({ sequence, cache, first: cache.length, count, draftIds: [] });

/** The newest token of each, and guesses behind them for `budget` tokens altogether. Of a sequence's tokens the last is never computed, so there is no guess of it. */
function draft<S extends Schedulable>(running: readonly Running<S>[], budget: number): StepItem<S>[] {
  let left = budget;
  return running.map((each, index) => {
    const { sequence } = each;
    const draftIds = sequence.draft(Math.min(Math.floor(left / (running.length - index)), sequence.maxTokenCount - sequence.tokenCount - 1));
    left -= draftIds.length;
    return { ...item(each, 1), draftIds };
  });
}
