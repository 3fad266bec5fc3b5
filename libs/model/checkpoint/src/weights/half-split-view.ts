import { assert, type StoredDtype, type TensorView } from '@essaim/core';
import { createHash } from 'node:crypto';
import { checkRows } from './check-rows.ts';

/**
 * The rows of a query or key projection in the order in which the engine rotates them. Mistral's own checkpoints turn rows 2i and 2i + 1
 * of a head together, the engine (and Hugging Face) rows i and i + headSize / 2. Whole heads are read, and no more of them than needed.
 * @see permute_for_rope in transformers' convert_ministral3_weights_to_hf.py
 */
export class HalfSplitView implements TensorView {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly dtype: StoredDtype;
  readonly #interleaved: TensorView;
  readonly #headSize: number;

  constructor(interleaved: TensorView, headSize: number) {
    assert(headSize % 2 === 0 && interleaved.rows % headSize === 0, `the ${interleaved.rows} rows of ${interleaved.name} are heads of ${headSize}`);
    this.name = interleaved.name;
    this.rows = interleaved.rows;
    this.columns = interleaved.columns;
    this.dtype = interleaved.dtype;
    this.#interleaved = interleaved;
    this.#headSize = headSize;
  }

  async read(firstRow: number, rowCount: number): Promise<Float32Array> {
    checkRows(this, firstRow, rowCount);
    if (rowCount === 0) return new Float32Array();
    const { columns } = this;
    const firstHeadRow = Math.floor(firstRow / this.#headSize) * this.#headSize;
    const endHeadRow = Math.ceil((firstRow + rowCount) / this.#headSize) * this.#headSize;
    const heads = await this.#interleaved.read(firstHeadRow, endHeadRow - firstHeadRow);
    const values = new Float32Array(rowCount * columns);
    for (let row = 0; row < rowCount; row++) {
      const from = (this.#interleavedRow(firstRow + row) - firstHeadRow) * columns;
      values.set(heads.subarray(from, from + columns), row * columns);
    }
    return values;
  }

  async fingerprint(): Promise<string> {
    return createHash('sha256').update(JSON.stringify(['half-split', await this.#interleaved.fingerprint(), this.#headSize])).digest('hex');
  }

  #interleavedRow(row: number): number {
    const inHead = row % this.#headSize;
    const half = this.#headSize / 2;
    return row - inHead + (inHead < half ? 2 * inHead : 2 * (inHead - half) + 1);
  }
}
