import { type TensorView } from '@essaim/core';
import { createHash } from 'node:crypto';
import { checkRows } from './check-rows.ts';
import { type StoredView } from './stored-view.ts';

/** A matrix, or several of one shape one above the other, cut into blocks with a scale each; the last block of a row or column may be cut short. */
export interface ScaleGrid {
  /** [matrices x ceil(matrixRows / blockRows), ceil(columns / blockColumns)] */
  readonly scales: StoredView;
  readonly matrixRows: number;
  readonly blockRows: number;
  readonly blockColumns: number;
  /** One value by which all scales are divided, in float32, before they multiply; null for none. */
  readonly divisor: StoredView | null;
}

/** Codes times the scale of their block: one float32 product a value, so that every reader of the format gets the same bits. */
export class ScaledView implements TensorView {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** A product needs more than 16 bits. */
  readonly dtype = 'f32';
  readonly #codes: StoredView;
  readonly #grid: ScaleGrid;
  /** Where the first row lies in the grid. */
  readonly #gridRow: number;

  constructor(codes: StoredView, grid: ScaleGrid, gridRow = 0) {
    this.name = codes.name;
    this.rows = codes.rows;
    this.columns = codes.columns;
    this.#codes = codes;
    this.#grid = grid;
    this.#gridRow = gridRow;
  }

  /** Rows [firstRow, firstRow + rowCount) as a view of their own. */
  slice(firstRow: number, rowCount: number): ScaledView {
    return new ScaledView(this.#codes.slice(firstRow, rowCount), this.#grid, this.#gridRow + firstRow);
  }

  async read(firstRow: number, rowCount: number): Promise<Float32Array> {
    checkRows(this, firstRow, rowCount);
    const firstScaleRow = this.#scaleRow(firstRow);
    const scaleRows = rowCount === 0 ? 0 : this.#scaleRow(firstRow + rowCount - 1) - firstScaleRow + 1;
    const [values, scales] = await Promise.all([this.#codes.read(firstRow, rowCount), this.#scales(firstScaleRow, scaleRows)]);
    const scalesPerRow = this.#grid.scales.columns;
    for (let row = 0; row < rowCount; row++) {
      const from = (this.#scaleRow(firstRow + row) - firstScaleRow) * scalesPerRow;
      multiplyBlocks(values.subarray(row * this.columns, (row + 1) * this.columns), scales.subarray(from, from + scalesPerRow), this.#grid.blockColumns);
    }
    return values;
  }

  async fingerprint(): Promise<string> {
    const { scales, divisor, matrixRows, blockRows, blockColumns } = this.#grid;
    const parts = await Promise.all([this.#codes, scales, ...(divisor === null ? [] : [divisor])].map((view) => view.fingerprint()));
    return createHash('sha256').update(JSON.stringify(['scaled', ...parts, matrixRows, blockRows, blockColumns, this.#gridRow])).digest('hex');
  }

  #scaleRow(row: number): number {
    const { matrixRows, blockRows } = this.#grid;
    const inGrid = this.#gridRow + row;
    return Math.floor(inGrid / matrixRows) * Math.ceil(matrixRows / blockRows) + Math.floor((inGrid % matrixRows) / blockRows);
  }

  async #scales(firstRow: number, rowCount: number): Promise<Float32Array> {
    const { scales, divisor } = this.#grid;
    const [values, [by]] = await Promise.all([scales.read(firstRow, rowCount), divisor === null ? [1] : divisor.read(0, 1)]);
    return divisor === null ? values : values.map((value) => value / by!);
  }
}

function multiplyBlocks(row: Float32Array, scales: Float32Array, blockColumns: number): void {
  for (let block = 0; block < scales.length; block++) {
    const scale = scales[block]!;
    const end = Math.min(row.length, (block + 1) * blockColumns);
    for (let column = block * blockColumns; column < end; column++) row[column]! *= scale;
  }
}
