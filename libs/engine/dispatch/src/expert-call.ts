import { type WorkerId, assert } from '@essaim/core';
import { type ExpertBatch } from './expert-peer.ts';
import { copyRow } from './rows.ts';
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
  readonly pairs: Uint32Array;
  /** The rows of these pairs, ascending, each once. */
  readonly rows: Uint32Array;
  /** [rows + 1]: row nth has those of `pairs` from rowOffsets[nth] to rowOffsets[nth + 1]. */
  readonly rowOffsets: Uint32Array;
  /** [pairs] */
  readonly experts: Uint32Array;
  /** [pairs] */
  readonly gates: Float32Array;
}

export interface ExpertCallTry {
  readonly attempt: number;
  readonly epoch: number;
  readonly reduce: boolean;
}

export const rowOf = (pair: number, { expertsPerToken }: Routing): number => Math.floor(pair / expertsPerToken);

export const rowCount = ({ activations, hiddenSize }: DispatchWork): number => activations.length / hiddenSize;

/** What goes to the worker: every activation once, and no copy of them where all rows go. */
export function toExpertBatch(work: DispatchWork, { rows, rowOffsets, experts, gates }: ExpertCall, { attempt, epoch, reduce }: ExpertCallTry): ExpertBatch {
  const { step, layer, hiddenSize } = work;
  return { step, layer, attempt, epoch, hiddenSize, reduce, rowOffsets, experts, gates, activations: activationsOf(work, rows) };
}

function activationsOf({ activations, hiddenSize }: DispatchWork, rows: Uint32Array): Float32Array {
  if (rows.length * hiddenSize === activations.length) return activations;
  const gathered = new Float32Array(rows.length * hiddenSize);
  for (let nth = 0; nth < rows.length; nth++) copyRow(gathered, nth, { values: activations, width: hiddenSize, row: rows[nth]! });
  return gathered;
}

/** Fails on shapes that do not agree: a bug of the caller. */
export function checkWork(work: DispatchWork): void {
  const { experts, gates, expertsPerToken } = work.routing;
  assert(Number.isInteger(rowCount(work)), 'activations are whole rows');
  assert(experts.length === rowCount(work) * expertsPerToken && gates.length === experts.length, 'there are as many routed as activated rows');
}
