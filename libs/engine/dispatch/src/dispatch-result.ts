import { type AppError, type WorkerId } from '@essaim/core';
import { type ExpertCall, rowOf } from './expert-call.ts';
import { type Routing } from './routing.ts';

/** The MoE layer's output for one step. */
export interface DispatchResult {
  /** [rows, hiddenSize], the weighted sums, owned by the caller; rows that failed are unspecified. */
  readonly output: Float32Array;
  /** By row: why it has no output. The other rows do. */
  readonly failures: ReadonlyMap<number, AppError>;
  /** [rows]: pairs that ran on the lead itself. */
  readonly localExpertCalls: Uint32Array;
  /** [rows]: pairs that ran on another worker. */
  readonly remoteExpertCalls: Uint32Array;
  /** [rows]: pairs that were sent again, once per time. */
  readonly retriedExpertCalls: Uint32Array;
  /** [rows]: workers that ran a pair of the row, the lead included. */
  readonly workers: readonly ReadonlySet<WorkerId>[];
}

/** The result but for the output, while the calls are under way. */
export class DispatchTally implements Omit<DispatchResult, 'output'> {
  readonly failures = new Map<number, AppError>();
  readonly localExpertCalls: Uint32Array;
  readonly remoteExpertCalls: Uint32Array;
  readonly retriedExpertCalls: Uint32Array;
  readonly workers: readonly Set<WorkerId>[];
  readonly #routing: Routing;

  constructor(rows: number, routing: Routing) {
    this.#routing = routing;
    this.localExpertCalls = new Uint32Array(rows);
    this.remoteExpertCalls = new Uint32Array(rows);
    this.retriedExpertCalls = new Uint32Array(rows);
    this.workers = Array.from({ length: rows }, () => new Set());
  }

  answered({ worker, pairs, rows }: ExpertCall, self: WorkerId): void {
    const calls = worker === self ? this.localExpertCalls : this.remoteExpertCalls;
    for (const pair of pairs) calls[rowOf(pair, this.#routing)]!++;
    for (const row of rows) this.workers[row]!.add(worker);
  }

  retried(pairs: readonly number[]): void {
    for (const pair of pairs) this.retriedExpertCalls[rowOf(pair, this.#routing)]!++;
  }

  /** The first reason of a row stays. */
  failed(pair: number, error: AppError): void {
    const row = rowOf(pair, this.#routing);
    if (!this.failures.has(row)) this.failures.set(row, error);
  }
}
