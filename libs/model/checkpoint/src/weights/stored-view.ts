import { type StoredDtype, type TensorView } from '@essaim/core';
import { createHash } from 'node:crypto';
import { type CheckpointFile } from '../folder.ts';
import { BITS_PER_VALUE, type NumberForm, numberForm, PLAIN_FLOAT, toFloat32 } from '../safetensors/dtype.ts';
import { type StoredTensor } from '../safetensors/open-file.ts';
import { checkRows } from './check-rows.ts';

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
  readonly form: NumberForm;
}

/** Rows of a stored tensor, all dimensions but the last folded into rows. Codes of a quantised one are values as they are, without their scales. */
export class StoredView implements TensorView {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly dtype: StoredDtype;
  readonly #form: NumberForm;
  readonly #place: Place;

  static of(tensor: StoredTensor): StoredView {
    const form = numberForm(tensor.dtype, { file: tensor.path, tensor: tensor.name });
    return new StoredView({ name: tensor.name, ...matrixOf(tensor), form }, tensor);
  }

  /** Bytes that are two codes of e2m1 each. */
  static ofPairs(tensor: StoredTensor): StoredView {
    const { rows, columns } = matrixOf(tensor);
    return new StoredView({ name: tensor.name, rows, columns: 2 * columns, form: 'e2m1' }, tensor);
  }

  private constructor({ name, rows, columns, form }: Matrix, place: Place) {
    this.name = name;
    this.rows = rows;
    this.columns = columns;
    this.dtype = PLAIN_FLOAT[form];
    this.#form = form;
    this.#place = place;
  }

  /** Rows [firstRow, firstRow + rowCount) as a view of their own. */
  slice(firstRow: number, rowCount: number): StoredView {
    checkRows(this, firstRow, rowCount);
    const name = `${this.name}[${firstRow}:${firstRow + rowCount}]`;
    return new StoredView({ name, rows: rowCount, columns: this.columns, form: this.#form }, { ...this.#place, begin: this.#place.begin + firstRow * this.#rowBytes });
  }

  async read(firstRow: number, rowCount: number): Promise<Float32Array> {
    checkRows(this, firstRow, rowCount);
    return toFloat32(this.#form, await this.#readBytes(firstRow * this.#rowBytes, rowCount * this.#rowBytes));
  }

  async fingerprint(): Promise<string> {
    const { begin, file } = this.#place;
    const size = this.rows * this.#rowBytes;
    const hash = createHash('sha256').update(JSON.stringify([file.version, begin, begin + size, this.#form, this.rows, this.columns]));
    for (const stripe of await Promise.all(stripesOf(size).map(({ offset, length }) => this.#readBytes(offset, length)))) hash.update(stripe);
    return hash.digest('hex');
  }

  get #rowBytes(): number {
    return (this.columns * BITS_PER_VALUE[this.#form]) / 8;
  }

  /** `offset` is from the start of this view. */
  #readBytes(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const { file, dataOffset, begin } = this.#place;
    return file.read(dataOffset + begin + offset, length);
  }
}

function matrixOf({ shape }: StoredTensor): { readonly rows: number; readonly columns: number } {
  return { rows: shape.slice(0, -1).reduce((product, size) => product * size, 1), columns: shape.at(-1) ?? 1 };
}

function stripesOf(size: number): { readonly offset: number; readonly length: number }[] {
  if (size <= STRIPES * STRIPE_BYTES) return [{ offset: 0, length: size }];
  return Array.from({ length: STRIPES }, (_, stripe) => ({ offset: Math.floor((stripe * (size - STRIPE_BYTES)) / (STRIPES - 1)), length: STRIPE_BYTES }));
}
