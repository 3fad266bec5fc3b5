import { AppError, assert } from '@essaim/core';
import { type KvCache, type KvPool } from '@essaim/kv';
import { StepPace, type StepPaceOptions } from './step-pace.ts';
import { compare, type Place, WaitingLine } from './waiting-line.ts';

/** What the scheduler must know of a sequence. */
export interface Schedulable {
  /** Prompt and answer so far. */
  readonly tokenCount: number;
  /** The most tokens that it may reach. */
  readonly maxTokenCount: number;
  /** Lower is served earlier. */
  readonly priority: number;
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
  /** What prompts may cost the answers under way. Default: whatever `stepTokens` allow. */
  readonly pace?: StepPaceOptions;
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

interface Running<S> extends Place<S> {
  readonly cache: KvCache;
}

/** How often a sequence makes room for better ones. Each time may cost all that was computed of it; after the last one it stays to its end. */
const PREEMPTIONS = 8;

/** Of what a step has for prompts, the share of the prompt that is here longest: it arrives in the end, however many short ones come. */
const OLDEST_SHARE = 0.25;

/**
 * Decides what each step computes. Every running sequence that only needs its newest token gets it in every step; what is left of the
 * step's tokens, or of its time, goes to prompts, in chunks, so that no prompt stalls the answers under way. Of the best priority the prompt with the fewest
 * tokens left comes first, so that a long one holds back nobody. What is left even then goes to guesses of running sequences, in equal shares.
 * Where there is no room for a sequence, running ones of worse priority make room, and are computed again when their turn comes. Owns the KV
 * caches of what runs.
 */
export class Scheduler<S extends Schedulable> {
  readonly #limits: SchedulerLimits;
  readonly #pool: KvPool;
  readonly #pace: StepPace | null;
  /** Never more than the limits for waiting and for running ones together. */
  readonly #waiting = new WaitingLine<S>();
  /** In the order in which they were let in. */
  readonly #running = new Map<S, Running<S>>();
  #arrivals = 0;

  constructor(limits: SchedulerLimits, pool: KvPool) {
    assert(limits.stepTokens > limits.runningSequences, 'a step has room for a prompt beside every running sequence');
    this.#limits = limits;
    this.#pool = pool;
    this.#pace = limits.pace === undefined ? null : new StepPace(limits.pace);
  }

  get waitingCount(): number {
    return this.#waiting.size;
  }

  get runningCount(): number {
    return this.#running.size;
  }

  /** Fails where the memory for keys and values does not hold what it counts: a bug. */
  checkIntegrity(): void {
    this.#pool.checkIntegrity();
  }

  /** Queues a sequence. Fails with `resource_exhausted` when the queue is full or the sequence is larger than all the memory for keys and values. */
  submit(sequence: S): void {
    if (!this.#pool.couldEverHold(sequence.maxTokenCount)) {
      throw new AppError('resource_exhausted', `a sequence of ${sequence.maxTokenCount} tokens does not fit the ${this.#pool.sequenceBytes} bytes for keys and values of this worker: ask for fewer tokens`);
    }
    if (this.#waiting.size >= this.#limits.waitingSequences) {
      throw new AppError('resource_exhausted', `${this.#limits.waitingSequences} sequences wait on this worker already: try again later`);
    }
    this.#waiting.enter({ sequence, priority: sequence.priority, arrival: this.#arrivals++, preemptions: 0 });
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
    const budget = this.#budget(newest, prompts);
    const chunks = this.#share(prompts, budget);
    return [...draft(newest, chunks.reduce((left, { count }) => left - count, budget)), ...chunks];
  }

  /** Takes note of how long a step took that was computed: those that follow are as large as their time allows. */
  took(step: readonly StepItem<S>[], durationMs: number): void {
    const tokens = step.reduce((sum, { count, draftIds }) => sum + count + draftIds.length, 0);
    this.#pace?.observe({ tokens, durationMs, hasPrompts: step.some(({ count }) => count > 1) });
  }

  /** Tokens for prompts and guesses. Nobody waits for a step of prompts alone, nor do guesses alone count against its time. */
  #budget(newest: readonly Running<S>[], prompts: readonly Running<S>[]): number {
    const most = this.#limits.stepTokens - newest.length;
    if (this.#pace === null || newest.length === 0 || prompts.length === 0) return most;
    return Math.min(most, this.#pace.promptTokens(newest.length));
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
    for (const each of prompts.toSorted((one, other) => one.priority - other.priority || missing(one) - missing(other))) if (left > 0) give(each, left);
    return [...counts].map(([each, count]) => item(each, count));
  }

  /** Takes a sequence out and returns its cache, if it has one. */
  #take(sequence: S): KvCache | null {
    const cache = this.#running.get(sequence)?.cache ?? null;
    this.#running.delete(sequence);
    this.#waiting.leave(sequence);
    return cache;
  }

  /** In the order of the line: one that does not fit yet holds back those behind it, so that it is not starved. */
  #admit(): void {
    for (let place = this.#waiting.first; place !== undefined; place = this.#waiting.first) {
      const obstacles = this.#obstacles(place);
      if (obstacles === null) return;
      for (const each of obstacles) this.#preempt(each);
      const { maxTokenCount, copyableIds } = place.sequence;
      const cache = this.#pool.reserve(maxTokenCount, copyableIds);
      assert(cache !== null, 'what the obstacles left is room enough');
      this.#waiting.leave(place.sequence);
      this.#running.set(place.sequence, { ...place, cache });
    }
  }

  /** Whom a sequence sends back to the line so that there is room for it, the best of them only where it must be; null where it may send back too few. */
  #obstacles(place: Place<S>): readonly Running<S>[] | null {
    const fitsWithout = (obstacles: readonly Running<S>[]): boolean =>
      this.#running.size - obstacles.length < this.#limits.runningSequences && this.#pool.canReserve(place.sequence.maxTokenCount, obstacles.map(({ cache }) => cache));
    if (fitsWithout([])) return [];
    // By place too: one that was overtaken often enough is no longer sent back either.
    const worse = [...this.#running.values()].filter((each) => each.priority > place.priority && compare(place, each) < 0 && each.preemptions < PREEMPTIONS).sort(compare);
    if (!fitsWithout(worse)) return null;
    let needed = worse;
    for (const each of worse) {
      const others = needed.filter((other) => other !== each);
      if (fitsWithout(others)) needed = others;
    }
    return needed;
  }

  /** What was computed of it is kept as long as nobody needs the room. */
  #preempt({ cache, ...place }: Running<S>): void {
    this.#running.delete(place.sequence);
    cache.keep();
    this.#waiting.enter({ ...place, preemptions: place.preemptions + 1 });
  }
}

/** Tokens that are not in the cache yet. */
const missing = ({ sequence, cache }: Running<Schedulable>): number => sequence.tokenCount - cache.length;

const NO_GUESS: readonly number[] = [];

const item = <S>({ sequence, cache }: Running<S>, count: number, draftIds = NO_GUESS): StepItem<S> => ({ sequence, cache, first: cache.length, count, draftIds });

/** The newest token of each, and guesses behind them for `budget` tokens altogether. Of a sequence's tokens the last is never computed, so there is no guess of it. */
function draft<S extends Schedulable>(running: readonly Running<S>[], budget: number): StepItem<S>[] {
  let left = budget;
  return running.map((each, index) => {
    const { sequence } = each;
    const draftIds = sequence.draft(Math.min(Math.floor(left / (running.length - index)), sequence.maxTokenCount - sequence.tokenCount - 1));
    left -= draftIds.length;
    return item(each, 1, draftIds);
  });
}
