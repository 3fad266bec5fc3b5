import { type AppError, type WorkerId } from '@essaim/core';
import { type ExpertCall, rowOf } from './expert-call.ts';
import { type Routing } from './routing.ts';

/** What became of the rows of one step in an MoE layer. */
export interface DispatchOutcome {
  /** By row: why it has no output. The other rows do. */
  readonly failures: ReadonlyMap<number, AppError>;
  /** [rows]: pairs that ran on the lead itself. */
  readonly localExpertCalls: Uint32Array;
  /** [rows]: pairs that ran on another worker. */
  readonly remoteExpertCalls: Uint32Array;
  /** [rows]: pairs that were sent again, once per time. */
  readonly retriedExpertCalls: Uint32Array;
  /** [rows]: workers that ran a pair of the row, the lead included; rows may share a set. */
  readonly workers: readonly ReadonlySet<WorkerId>[];
}

/** The same, with the layer's output. */
export interface DispatchResult extends DispatchOutcome {
  /** [rows, hiddenSize], the weighted sums, owned by the caller; rows that failed are unspecified. */
  readonly output: Float32Array;
}

/** What is known of the rows while their calls are under way. */
export class DispatchTally {
  readonly #routing: Routing;
  readonly #failures = new Map<number, AppError>();
  readonly #localExpertCalls: Uint32Array;
  readonly #remoteExpertCalls: Uint32Array;
  readonly #retriedExpertCalls: Uint32Array;
  readonly #workers: WorkerSet[];

  constructor(rows: number, routing: Routing) {
    this.#routing = routing;
    this.#localExpertCalls = new Uint32Array(rows);
    this.#remoteExpertCalls = new Uint32Array(rows);
    this.#retriedExpertCalls = new Uint32Array(rows);
    this.#workers = new Array<WorkerSet>(rows).fill(new WorkerSet([]));
  }

  answered({ worker, pairs, rows }: ExpertCall, self: WorkerId): void {
    const calls = worker === self ? this.#localExpertCalls : this.#remoteExpertCalls;
    for (const pair of pairs) calls[rowOf(pair, this.#routing)]!++;
    for (const row of rows) this.#workers[row] = this.#workers[row]!.with(worker);
  }

  retried(pairs: Uint32Array): void {
    for (const pair of pairs) this.#retriedExpertCalls[rowOf(pair, this.#routing)]!++;
  }

  /** The first reason of a row stays. */
  failed(pair: number, error: AppError): void {
    const row = rowOf(pair, this.#routing);
    if (!this.#failures.has(row)) this.#failures.set(row, error);
  }

  outcome(): DispatchOutcome {
    return {
      failures: this.#failures, workers: this.#workers.map(({ members }) => members),
      localExpertCalls: this.#localExpertCalls, remoteExpertCalls: this.#remoteExpertCalls, retriedExpertCalls: this.#retriedExpertCalls,
    };
  }
}

/** Rows that went to the same workers share one: there are few such sets, however many rows. */
class WorkerSet {
  readonly members: ReadonlySet<WorkerId>;
  readonly #larger = new Map<WorkerId, WorkerSet>();

  constructor(members: Iterable<WorkerId>) {
    this.members = new Set(members);
  }

  with(worker: WorkerId): WorkerSet {
    if (this.members.has(worker)) return this;
    let larger = this.#larger.get(worker);
    if (larger === undefined) this.#larger.set(worker, (larger = new WorkerSet([...this.members, worker])));
    return larger;
  }
}
