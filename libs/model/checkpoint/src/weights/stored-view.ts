import { assert, type StoredDtype, type TensorView } from '@essaim/core';
import { createHash } from 'node:crypto';
import { type CheckpointFile } from '../folder.ts';
import { BYTES_PER_VALUE, storedDtype, toFloat32 } from '../safetensors/dtype.ts';
import { type StoredTensor } from '../safetensors/open-file.ts';

/** A fingerprint reads the first and the last stripe of a view and those evenly between; all bytes of a view that is no larger. */
const STRIPES = 16;
const STRIPE_BYTES = 4096;

interface Place {
  readonly file: CheckpointFile;
  readonly dataOffset: number;
  /** Bytes from `dataOffset`. */
  readonly begin: number;
}

interface Matrix {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly dtype: StoredDtype;
}

/** Rows of a stored tensor, all dimensions but the last folded into rows. */
export class StoredView implements TensorView {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly dtype: StoredDtype;
  readonly #place: Place;

  static of(tensor: StoredTensor): StoredView {
    const columns = tensor.shape.at(-1) ?? 1;
    const rows = tensor.shape.slice(0, -1).reduce((product, size) => product * size, 1);
    return new StoredView({ name: tensor.name, rows, columns, dtype: storedDtype(tensor.dtype, { file: tensor.path, tensor: tensor.name }) }, tensor);
  }

  private constructor({ name, rows, columns, dtype }: Matrix, place: Place) {
    this.name = name;
    this.rows = rows;
    this.columns = columns;
    this.dtype = dtype;
    this.#place = place;
  }

  /** Rows [firstRow, firstRow + rowCount) as a view of their own. */
  slice(firstRow: number, rowCount: number): StoredView {
    this.#checkRows(firstRow, rowCount);
    const { columns, dtype } = this;
    const name = `${this.name}[${firstRow}:${firstRow + rowCount}]`;
    return new StoredView({ name, rows: rowCount, columns, dtype }, { ...this.#place, begin: this.#place.begin + firstRow * this.#rowBytes });
  }

  async read(firstRow: number, rowCount: number): Promise<Float32Array> {
    this.#checkRows(firstRow, rowCount);
    return toFloat32(this.dtype, await this.#readBytes(firstRow * this.#rowBytes, rowCount * this.#rowBytes));
  }

  async fingerprint(): Promise<string> {
    const { begin, file } = this.#place;
    const size = this.rows * this.#rowBytes;
    const hash = createHash('sha256').update(JSON.stringify([file.version, begin, begin + size, this.dtype, this.rows, this.columns]));
    for (const stripe of await Promise.all(stripesOf(size).map(({ offset, length }) => this.#readBytes(offset, length)))) hash.update(stripe);
    return hash.digest('hex');
  }

  get #rowBytes(): number {
    return this.columns * BYTES_PER_VALUE[this.dtype];
  }

  /** `offset` is from the start of this view. */
  #readBytes(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const { file, dataOffset, begin } = this.#place;
    return file.read(dataOffset + begin + offset, length);
  }

  #checkRows(firstRow: number, rowCount: number): void {
    const within = Number.isSafeInteger(firstRow) && Number.isSafeInteger(rowCount) && firstRow >= 0 && rowCount >= 0 && firstRow + rowCount <= this.rows;
    assert(within, `rows ${firstRow} to ${firstRow + rowCount} of ${this.name} are within its ${this.rows}`);
  }
}

function stripesOf(size: number): { readonly offset: number; readonly length: number }[] {
  if (size <= STRIPES * STRIPE_BYTES) return [{ offset: 0, length: size }];
  return Array.from({ length: STRIPES }, (_, stripe) => ({ offset: Math.floor((stripe * (size - STRIPE_BYTES)) / (STRIPES - 1)), length: STRIPE_BYTES }));
}
