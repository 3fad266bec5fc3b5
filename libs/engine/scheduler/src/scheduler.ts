import { AppError, assert } from '@essaim/core';
import { type KvCache, type KvPool } from '@essaim/kv';

/** What the scheduler must know of a sequence. */
export interface Schedulable {
  /** Prompt and answer so far. */
  readonly tokenCount: number;
  /** The most tokens that it may reach. */
  readonly maxTokenCount: number;
}

export interface SchedulerLimits {
  readonly waitingSequences: number;
  readonly runningSequences: number;
  /** Tokens of one step: running sequences first, the rest for prompts. */
  readonly stepTokens: number;
}

/** Part of one step: `count` tokens of a sequence from position `first`. */
export interface StepItem<S> {
  readonly sequence: S;
  readonly cache: KvCache;
  readonly first: number;
  readonly count: number;
}

interface Running<S> {
  readonly sequence: S;
  readonly cache: KvCache;
}

/**
 * Decides what each step computes. Every running sequence that only needs its newest token gets it in every step; what is left of the
 * step's tokens goes to prompts in the order in which they came, in chunks, so that no prompt stalls the answers under way.
 * Owns the KV caches of what runs.
 */
export class Scheduler<S extends Schedulable> {
  readonly #limits: SchedulerLimits;
  readonly #pool: KvPool;
  readonly #waiting: S[] = [];
  readonly #running: Running<S>[] = [];

  constructor(limits: SchedulerLimits, pool: KvPool) {
    assert(limits.stepTokens > limits.runningSequences, 'a step has room for a prompt beside every running sequence');
    this.#limits = limits;
    this.#pool = pool;
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  get runningCount(): number {
    return this.#running.length;
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
    const waiting = this.#waiting.indexOf(sequence);
    if (waiting >= 0) this.#waiting.splice(waiting, 1);
    const running = this.#running.findIndex((each) => each.sequence === sequence);
    if (running >= 0) this.#running.splice(running, 1)[0]!.cache.release();
  }

  /** The next step; empty when there is nothing to compute. */
  schedule(): StepItem<S>[] {
    this.#admit();
    const decoding = this.#running.filter((each) => missing(each) === 1);
    const items = decoding.map((each) => item(each, 1));
    let budget = this.#limits.stepTokens - items.length;
    for (const each of this.#running) {
      if (missing(each) <= 1 || budget === 0) continue;
      const count = Math.min(missing(each), budget);
      items.push(item(each, count));
      budget -= count;
    }
    return items;
  }

  /** First come, first served: one that does not fit yet holds back those behind it, so that it is not starved. */
  #admit(): void {
    while (this.#waiting.length > 0 && this.#running.length < this.#limits.runningSequences) {
      const cache = this.#pool.reserve(this.#waiting[0]!.maxTokenCount);
      if (cache === null) return;
      this.#running.push({ sequence: this.#waiting.shift()!, cache });
    }
  }
}

/** Tokens that are not in the cache yet. */
const missing = ({ sequence, cache }: Running<Schedulable>): number => sequence.tokenCount - cache.length;

const item = <S>({ sequence, cache }: Running<S>, count: number): StepItem<S> => ({ sequence, cache, first: cache.length, count });
