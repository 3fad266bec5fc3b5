import { type WorkerId, assert } from '@essaim/core';
import { type ExpertBatch } from './expert-peer.ts';
import { gatherRows } from './rows.ts';
import { type Routing } from './routing.ts';

/** The tokens of one step before one MoE layer. */
export interface DispatchWork {
  readonly step: number;
  readonly layer: number;
  readonly hiddenSize: number;
  /** [rows, hiddenSize]; stays as it is until the dispatch is over. */
  readonly activations: Float32Array;
  readonly routing: Routing;
}

/** Pairs of a work that one worker runs in one call. */
export interface ExpertCall {
  readonly worker: WorkerId;
  /** Ascending; see Routing. */
  readonly pairs: readonly number[];
  /** The rows of these pairs, ascending, each once. */
  readonly rows: readonly number[];
}

export interface ExpertCallTry {
  readonly attempt: number;
  readonly epoch: number;
  readonly reduce: boolean;
}

export const rowOf = (pair: number, { expertsPerToken }: Routing): number => Math.floor(pair / expertsPerToken);

export const rowCount = ({ activations, hiddenSize }: DispatchWork): number => activations.length / hiddenSize;

export function toExpertCall(worker: WorkerId, pairs: readonly number[], routing: Routing): ExpertCall {
  const rows: number[] = [];
  for (const pair of pairs) {
    const row = rowOf(pair, routing);
    if (rows.at(-1) !== row) rows.push(row);
  }
  return { worker, pairs, rows };
}

/** What goes to the worker: every activation once, and no copy of them when all rows go. */
export function toExpertBatch(work: DispatchWork, { pairs, rows }: ExpertCall, { attempt, epoch, reduce }: ExpertCallTry): ExpertBatch {
  const { step, layer, hiddenSize, activations, routing } = work;
  const batch = {
    step, layer, attempt, epoch, hiddenSize, reduce,
    activations: rows.length === rowCount(work) ? activations : gatherRows(activations, rows, hiddenSize),
    rowOffsets: new Uint32Array(rows.length + 1),
    experts: new Uint32Array(pairs.length),
    gates: new Float32Array(pairs.length),
  };
  let nth = 0;
  pairs.forEach((pair, index) => {
    if (rowOf(pair, routing) !== rows[nth]) nth++;
    batch.rowOffsets[nth + 1] = index + 1;
    batch.experts[index] = routing.experts[pair]!;
    batch.gates[index] = routing.gates[pair]!;
  });
  return batch;
}

/** Fails on shapes that do not agree: a bug of the caller. */
export function checkWork(work: DispatchWork): void {
  const { experts, gates, expertsPerToken } = work.routing;
  assert(Number.isInteger(rowCount(work)), 'activations are whole rows');
  assert(experts.length === rowCount(work) * expertsPerToken && gates.length === experts.length, 'there are as many routed as activated rows');
}
