import { type WorkerId, assert } from '@essaim/core';
import { type DeviceRows } from './device-rows.ts';
import { type ExpertBatch } from './expert-peer.ts';
import { copyRow } from './rows.ts';
import { type Routing } from './routing.ts';

/** The tokens of one step before one MoE layer. */
export interface RoutedWork {
  readonly step: number;
  readonly layer: number;
  readonly hiddenSize: number;
  readonly routing: Routing;
}

/** Whose activations are in this process's memory. */
export interface DispatchWork extends RoutedWork {
  /** [rows, hiddenSize]; stays as it is until the dispatch is over. */
  readonly activations: Float32Array;
}

/** Whose activations stay on a device. */
export interface DeviceWork extends RoutedWork {
  readonly activations: DeviceRows;
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

export const rowCount = ({ activations, hiddenSize }: DispatchWork | DeviceWork): number => (activations instanceof Float32Array ? activations.length / hiddenSize : activations.rowCount);

export const isOnDevice = (work: DispatchWork | DeviceWork): work is DeviceWork => !(work.activations instanceof Float32Array);

/** What goes to the worker: every activation once, and no copy of them where all rows go. */
export function toExpertBatch(work: RoutedWork, { rowOffsets, experts, gates }: ExpertCall, { attempt, epoch, reduce, activations }: ExpertCallTry & Pick<ExpertBatch, 'activations'>): ExpertBatch {
  const { step, layer, hiddenSize } = work;
  return { step, layer, attempt, epoch, hiddenSize, reduce, rowOffsets, experts, gates, activations };
}

/** Those of some rows. */
export function activationsOf({ activations, hiddenSize }: DispatchWork, rows: Uint32Array): Float32Array {
  if (rows.length * hiddenSize === activations.length) return activations;
  const gathered = new Float32Array(rows.length * hiddenSize);
  for (let nth = 0; nth < rows.length; nth++) copyRow(gathered, nth, { values: activations, width: hiddenSize, row: rows[nth]! });
  return gathered;
}

/** Fails on shapes that do not agree: a bug of the caller. */
export function checkWork(work: DispatchWork | DeviceWork): void {
  const { experts, gates, expertsPerToken } = work.routing;
  assert(Number.isInteger(rowCount(work)), 'activations are whole rows');
  assert(experts.length === rowCount(work) * expertsPerToken && gates.length === experts.length, 'there are as many routed as activated rows');
}
