import { type WorkerId } from '@essaim/core';
import { type PlannedDtype } from './matrix-bytes.ts';

export interface PlannedWorker {
  readonly id: WorkerId;
  /** Index of the machine that it is in. */
  readonly node: number;
  readonly device: PlannedDevice;
}

export interface PlannedDevice {
  readonly name: string;
  readonly processor: 'cpu' | 'gpu';
  readonly memoryBytes: number;
  readonly readBytesPerSecond: number;
  /** At the precision that it multiplies in, without sparsity. */
  readonly flopsPerSecond: number;
  /** Null where nobody gave a price. */
  readonly pricePerHour: number | null;
  readonly overhead: Overhead;
}

/** Seconds that a worker takes besides reading and multiplying; all 0 where nobody has measured them. */
export interface Overhead {
  readonly step: number;
  /** Of a layer in a step, whatever the number of tokens. */
  readonly layer: number;
  /** Of a token in a layer, on its lead: norms, positions, routing, and handing its row around. */
  readonly row: number;
  /** Of a token that is generated: chosen, sent and told to the client. */
  readonly output: number;
}

export const NO_OVERHEAD: Overhead = { step: 0, layer: 0, row: 0, output: 0 };

/** Between any two workers that it joins. */
export interface Link {
  readonly kind: string;
  /** Of one worker, in each direction at once. */
  readonly bytesPerSecond: number;
  readonly roundTripSeconds: number;
}

export interface Topology {
  readonly name: string;
  readonly workers: readonly PlannedWorker[];
  /** Between workers in a node, by the node's index; null where it has one worker. */
  readonly within: readonly (Link | null)[];
  /** Between nodes; null where there is one. */
  readonly between: Link | null;
  /** The form of weights with which its figures were measured, which are then those that the engine reaches; null where they are a data sheet's. */
  readonly measuredWith: PlannedDtype | null;
}

/** The link between two workers; null where a worker meets itself. A parsed topology has one for every pair. */
export function linkOf({ within, between }: Topology, from: PlannedWorker, to: PlannedWorker): Link | null {
  if (from.id === to.id) return null;
  return from.node === to.node ? (within[from.node] ?? null) : between;
}
