import { AppError } from '@essaim/core';
import { type StoredTensor } from '../safetensors/open-file.ts';
import { type ScaleGrid } from './scaled-view.ts';
import { StoredView } from './stored-view.ts';

type Block = readonly [rows: number, columns: number];

/** A block of NVFP4. */
const NVFP4_BLOCK: Block = [1, 16];

/** The scales of FP8 codes: one, one a row, or one a block, of each matrix; their shape says which. `block` is the block of the configuration. */
export function fp8Grid(codes: StoredTensor, scales: StoredTensor, block: Block): ScaleGrid {
  const [rows, columns] = matrixOf(codes.shape);
  const found = ([[rows, columns], [1, columns], block] as const).find((candidate) => fits(codes.shape, scales.shape, candidate));
  if (found !== undefined) return grid(codes, scales, { block: found, divisor: null });
  throw misfit(scales, `which is neither one scale for ${codes.name} ${written(codes.shape)}, nor one a row, nor one for each block of ${block.join(' x ')}`);
}

/** The scales of e2m1 codes: one e4m3 for 16 columns, over one float32 for all. */
export function nvfp4Grid(codes: Pick<StoredTensor, 'name' | 'shape'>, scales: StoredTensor, divisor: StoredTensor): ScaleGrid {
  const [, columns] = matrixOf(codes.shape);
  if (columns % NVFP4_BLOCK[1] !== 0 || !fits(codes.shape, scales.shape, NVFP4_BLOCK)) {
    throw misfit(scales, `which is not one scale for each 16 columns of ${codes.name} ${written(codes.shape)}`);
  }
  if (valueCount(divisor.shape) !== 1) throw misfit(divisor, 'but it is one value for the whole tensor');
  return grid(codes, scales, { block: NVFP4_BLOCK, divisor: StoredView.of(divisor) });
}

function grid({ shape }: Pick<StoredTensor, 'shape'>, scales: StoredTensor, { block, divisor }: { readonly block: Block; readonly divisor: StoredView | null }): ScaleGrid {
  return { scales: StoredView.of(scales), matrixRows: matrixOf(shape)[0], blockRows: block[0], blockColumns: block[1], divisor };
}

/** A scalar and a vector of one are a matrix of one too. */
function fits(codes: readonly number[], scales: readonly number[], [blockRows, blockColumns]: Block): boolean {
  const [rows, columns] = matrixOf(codes);
  const wanted = [...codes.slice(0, -2), Math.ceil(rows / blockRows), Math.ceil(columns / blockColumns)];
  return valueCount(wanted) === 1 ? valueCount(scales) === 1 : sameShape(scales, wanted);
}

const matrixOf = (shape: readonly number[]): Block => [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
const valueCount = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);
const sameShape = (one: readonly number[], other: readonly number[]): boolean => one.length === other.length && one.every((size, axis) => size === other[axis]);
const written = (shape: readonly number[]): string => `[${shape.join(', ')}]`;
const misfit = ({ path, name, shape }: StoredTensor, why: string): AppError =>
  new AppError('data_loss', `${path}: tensor ${name} has shape ${written(shape)}, ${why}: download all files of one checkpoint again`);
