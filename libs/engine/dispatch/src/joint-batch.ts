import { assert } from '@essaim/core';
import { type ExpertBatch } from './expert-peer.ts';
import { type ExpertGroup } from './expert-runner.ts';
import { type KeyOrder, orderByKey } from './order-by-key.ts';
import { addWeightedRow, copyRow } from './rows.ts';

/**
 * Batches of one layer and width as one: each expert gets the rows of all of them, one after the other, and each batch gets its own reply.
 * Takes memory by the largest expert's number, so that must be known to exist.
 */
export class JointBatch {
  readonly #batches: readonly ExpertBatch[];
  readonly #width: number;
  /** [all pairs]: the batch of each. */
  readonly #batchOf: Uint32Array;
  /** [all pairs]: the row of each within its batch. */
  readonly #rowOf: Uint32Array;
  /** [batches]: the first pair of each. */
  readonly #firstPair: Uint32Array;
  readonly #byExpert: KeyOrder;

  constructor(batches: readonly ExpertBatch[]) {
    const pairs = batches.reduce((sum, { experts }) => sum + experts.length, 0);
    this.#batches = batches;
    this.#width = batches[0]?.hiddenSize ?? 0;
    this.#batchOf = new Uint32Array(pairs);
    this.#rowOf = new Uint32Array(pairs);
    this.#firstPair = new Uint32Array(batches.length);
    this.#byExpert = this.#layOut(new Uint32Array(pairs));
  }

  /** How many activations the experts get, all rows of all of them together. */
  get inputLength(): number {
    return this.#batchOf.length * this.#width;
  }

  /** One per expert that has rows, ascending; their activations are views of `input`, [inputLength] or longer. */
  groups(input: Float32Array): ExpertGroup[] {
    const { starts, order } = this.#byExpert;
    for (let place = 0; place < order.length; place++) {
      const pair = order[place]!;
      copyRow(input, place, { values: this.#batches[this.#batchOf[pair]!]!.activations, width: this.#width, row: this.#rowOf[pair]! });
    }
    const groups: ExpertGroup[] = [];
    for (let expert = 0; expert + 1 < starts.length; expert++) {
      const [first, end] = [starts[expert]!, starts[expert + 1]!];
      if (first < end) groups.push({ expert, activations: input.subarray(first * this.#width, end * this.#width) });
    }
    return groups;
  }

  /** What each batch asked for, from what each group's expert returned: sums in ascending expert order. */
  replies(groups: readonly ExpertGroup[], results: readonly Float32Array[]): Float32Array[] {
    const replies = this.#batches.map(({ reduce, rowOffsets, experts }) => new Float32Array((reduce ? rowOffsets.length - 1 : experts.length) * this.#width));
    groups.forEach(({ expert, activations }, nth) => {
      assert(results[nth]?.length === activations.length, 'an expert returns as many rows as it was given');
      this.#scatter(expert, results[nth], replies);
    });
    return replies;
  }

  /** Adds each row of an expert's result, weighted, to its place: that of its token, or that of its pair. */
  #scatter(expert: number, values: Float32Array, replies: readonly Float32Array[]): void {
    const { starts, order } = this.#byExpert;
    const first = starts[expert]!;
    for (let place = first; place < starts[expert + 1]!; place++) {
      const batchIndex = this.#batchOf[order[place]!]!;
      const { reduce, gates } = this.#batches[batchIndex]!;
      const pair = order[place]! - this.#firstPair[batchIndex]!;
      addWeightedRow(replies[batchIndex]!, reduce ? this.#rowOf[order[place]!]! : pair, { values, width: this.#width, row: place - first, weight: gates[pair]! });
    }
  }

  #layOut(experts: Uint32Array): KeyOrder {
    let [first, most] = [0, -1];
    this.#batches.forEach((batch, index) => {
      this.#firstPair[index] = first;
      experts.set(batch.experts, first);
      this.#batchOf.fill(index, first, first + batch.experts.length);
      for (let row = 0; row + 1 < batch.rowOffsets.length; row++) this.#rowOf.fill(row, first + batch.rowOffsets[row]!, first + batch.rowOffsets[row + 1]!);
      first += batch.experts.length;
    });
    for (const expert of experts) most = Math.max(most, expert);
    return orderByKey(experts, most + 1);
  }
}
