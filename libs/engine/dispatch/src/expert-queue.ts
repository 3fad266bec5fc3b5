import { AppError } from '@essaim/core';
import { type ExpertBatch } from './expert-peer.ts';

/** A call that waits to be run. */
export interface WaitingCall {
  readonly batch: ExpertBatch;
  readonly signal: AbortSignal;
  /** On the clock of whoever takes it. */
  readonly cameMs: number;
  /** Nobody waits for it afterwards. */
  readonly deadlineMs: number;
  readonly resolve: (reply: Float32Array) => void;
  readonly reject: (error: AppError) => void;
}

export interface ExpertQueueLimits {
  /** Rows that wait. A call that finds no other is taken whatever its size. */
  readonly waitingRows: number;
  /** Rows of calls that run together, so that a small one never waits for many rows of others. A call with more runs alone. */
  readonly batchRows: number;
}

export const EXPERT_QUEUE_LIMITS: ExpertQueueLimits = { waitingRows: 4_096, batchRows: 128 };

/** Calls in the order in which they came, whoever made them. Refuses what is too much, and drops calls that nobody waits for before they cost anything. */
export class ExpertQueue {
  readonly #limits: ExpertQueueLimits;
  #waiting: WaitingCall[] = [];
  #rows = 0;

  constructor(limits: ExpertQueueLimits) {
    this.#limits = limits;
  }

  /** Fails with `resource_exhausted` when full. */
  add(call: WaitingCall, nowMs: number): void {
    const rows = rowsOf(call);
    if (this.#isFullFor(rows)) this.#dropAbandoned(nowMs);
    if (this.#isFullFor(rows)) {
      throw new AppError('resource_exhausted', `${this.#rows} rows wait for the experts of this worker already: call another replica, or this one again in a moment`);
    }
    this.#waiting.push(call);
    this.#rows += rows;
  }

  /** The oldest call and those for the same layer that fit beside it, oldest first; none when nothing waits. Calls for the layer `held` stay. */
  take(nowMs: number, held: number | null = null): WaitingCall[] {
    this.#dropAbandoned(nowMs);
    const oldest = this.#waiting.find(({ batch }) => batch.layer !== held);
    if (oldest === undefined) return [];
    let rows = 0;
    const [taken, left] = partition(this.#waiting, (call) => {
      const joins = call === oldest || (runTogether(call, oldest) && rows + rowsOf(call) <= this.#limits.batchRows);
      if (joins) rows += rowsOf(call);
      return joins;
    });
    this.#waiting = left;
    this.#rows -= rows;
    return taken;
  }

  #isFullFor(rows: number): boolean {
    return this.#waiting.length > 0 && this.#rows + rows > this.#limits.waitingRows;
  }

  #dropAbandoned(nowMs: number): void {
    const [abandoned, left] = partition(this.#waiting, ({ signal, deadlineMs }) => signal.aborted || deadlineMs <= nowMs);
    if (abandoned.length === 0) return;
    this.#waiting = left;
    for (const call of abandoned) {
      this.#rows -= rowsOf(call);
      call.reject(call.signal.aborted ? AppError.from(call.signal.reason) : new AppError('deadline_exceeded', 'an expert call waited here until its deadline: call another replica'));
    }
  }
}

/** A call without rows takes a place, too. */
const rowsOf = ({ batch }: WaitingCall): number => Math.max(1, batch.rowOffsets.length - 1);

const runTogether = (a: WaitingCall, b: WaitingCall): boolean => a.batch.layer === b.batch.layer && a.batch.hiddenSize === b.batch.hiddenSize;

function partition<T>(values: readonly T[], belongs: (value: T) => boolean): [T[], T[]] {
  const [inside, outside]: [T[], T[]] = [[], []];
  for (const value of values) (belongs(value) ? inside : outside).push(value);
  return [inside, outside];
}
