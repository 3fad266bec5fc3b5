import { type AttentionStep } from '@essaim/runner';
import { type BankView } from './bank.ts';
import { type Arena, widthOf } from './arena.ts';

/** Rows [row, row + count) of an array of the caller's. */
export interface CallerRows {
  readonly array: Float32Array;
  readonly row: number;
  readonly count: number;
}

/** Rows between the arrays of who calls and the arenas, where they are as far apart as whole panels are. */
export class ArenaRows {
  readonly #arena: Arena;
  readonly #hiddenSize: number;
  readonly #view: (bank: number) => BankView;
  /** The step whose angles lie in the arenas of some banks, and from which of its rows on. */
  #angles: { readonly step: AttentionStep; readonly row: number; readonly banks: Set<number> } | null = null;

  constructor({ arena, hiddenSize, view }: { readonly arena: Arena; readonly hiddenSize: number; readonly view: (bank: number) => BankView }) {
    this.#arena = arena;
    this.#hiddenSize = hiddenSize;
    this.#view = view;
  }

  /** Hidden states to the arena's input, its row `to` and on. */
  put(bank: number, { array, row, count }: CallerRows, to = 0): void {
    const width = this.#hiddenSize;
    const stride = widthOf(width);
    const { floats } = this.#view(bank);
    const at = this.#arena.input / 4 + to * stride;
    if (stride === width) floats.set(array.subarray(row * width, (row + count) * width), at);
    else for (let nth = 0; nth < count; nth++) floats.set(array.subarray((row + nth) * width, (row + nth + 1) * width), at + nth * stride);
  }

  /** Rows of `width` values of the arena's array at an address, from its row `from` on. */
  get({ bank, address, width }: { readonly bank: number; readonly address: number; readonly width: number }, { array, row, count }: CallerRows, from = 0): void {
    const stride = widthOf(width);
    const { floats } = this.#view(bank);
    const at = address / 4 + from * stride;
    if (stride === width) array.set(floats.subarray(at, at + count * stride), row * width);
    else for (let nth = 0; nth < count; nth++) array.set(floats.subarray(at + nth * stride, at + nth * stride + width), (row + nth) * width);
  }

  /** A step's angles from row `row` on, into the banks of some keys and values, or of a layer's weights: once for all layers that lie there. */
  setAngles(banks: ReadonlySet<number>, step: AttentionStep, row: number, count: number): void {
    if (this.#angles?.step !== step || this.#angles.row !== row) this.#angles = { step, row, banks: new Set() };
    const { cos, sin, queryScale } = step.angles;
    const width = cos.length / step.spans.reduce((sum, span) => sum + span.count, 0);
    for (const bank of banks) {
      if (this.#angles.banks.has(bank)) continue;
      this.#angles.banks.add(bank);
      const { floats } = this.#view(bank);
      floats.set(cos.subarray(row * width, (row + count) * width), this.#arena.cos / 4);
      floats.set(sin.subarray(row * width, (row + count) * width), this.#arena.sin / 4);
      if (queryScale !== null) floats.set(queryScale.subarray(row, row + count), this.#arena.queryScale / 4);
    }
  }
}
