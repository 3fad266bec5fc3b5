import { type PanelTensor } from '@essaim/panels';
import { type Kernels } from './kernels.ts';
import { type TeamSignal } from './team-signal.ts';

/** Activations that a matrix multiplies: [rows, columns] of float32, `stride` floats apart, and the same quantised. Addresses. */
export interface Activations {
  readonly floats: number;
  readonly stride: number;
  readonly quantised: number;
}

/** Where the result of a matrix goes: [rows, columns], `stride` floats apart. */
export interface Result {
  readonly rows: number;
  readonly out: number;
  readonly stride: number;
}

/** A matrix of a piece that lies at an address. */
export interface Placed {
  readonly kernels: Kernels;
  readonly piece: number;
  readonly matrix: PanelTensor;
}

export interface PhasesOptions {
  readonly threads: number;
  readonly signal: TeamSignal;
  /** Address of the thread's own scratch, in every bank. */
  readonly scratch: number;
}

/** A phase is cut into about so many parts per thread, so that nobody waits long for the last one. */
const PARTS_PER_THREAD = 6;

/** Address of a row of float32. */
export const rowAt = (address: number, row: number, stride: number): number => address + 4 * row * stride;

/**
 * The phases of a job: in each one a thread takes parts until none is left, and goes on when all are done. A part computes some rows, columns or
 * heads wholly, so no result depends on who computed it, nor on how many threads there are.
 */
export class Phases {
  readonly #options: PhasesOptions;
  #phase = 0;

  constructor(options: PhasesOptions) {
    this.#options = options;
  }

  /** Of another job. */
  begin(): void {
    this.#phase = 0;
  }

  /** Every part is done by one thread, and all are done when this returns. */
  parts(count: number, act: (part: number) => void): void {
    this.#options.signal.share(this.#phase++, count, act);
  }

  /** Parts are rows. */
  rows(rows: number, act: (row: number, count: number) => void): void {
    const atOnce = Math.ceil(rows / (2 * this.#options.threads));
    this.parts(Math.ceil(rows / atOnce), (part) => act(part * atOnce, Math.min(atOnce, rows - part * atOnce)));
  }

  /** Parts are some units each, as [first, end). */
  shares(total: number, act: (first: number, end: number) => void): void {
    const atOnce = this.share(total, total);
    this.parts(Math.ceil(total / atOnce), (part) => act(part * atOnce, Math.min(total, (part + 1) * atOnce)));
  }

  /** How many of `total` units a part has, at most `most`. */
  share(total: number, most: number): number {
    return Math.max(1, Math.min(most, Math.ceil(total / (PARTS_PER_THREAD * this.#options.threads))));
  }

  /** All columns of a matrix, some panels a part. */
  linear(placed: Placed, input: Activations, result: Result): void {
    this.shares(placed.matrix.panels, (first, end) => this.panels(placed, input, result, first, end));
  }

  /** Not a phase: the panels [first, end) of a matrix for all rows, by this thread. */
  panels({ kernels, piece, matrix: { form, columns, offset } }: Placed, { floats, stride, quantised }: Activations, result: Result, first: number, end: number): void {
    const { scratch } = this.#options;
    const weights = piece + offset;
    if (form === 'float32') kernels.linear32(weights, floats, result.rows, columns, stride, first, end, result.out, result.stride, scratch);
    else kernels[form === 'int4' ? 'linear4' : 'linear8'](weights, quantised, result.rows, columns, first, end, result.out, result.stride, scratch);
  }
}
