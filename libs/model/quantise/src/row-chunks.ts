import { assert, type TensorView } from '@essaim/core';

/** Rows read at once, as float32: enough for the disk, little beside the model. */
const CHUNK_BYTES = 4 << 20;

/** Matrices of the same width, one above the other. */
export interface Rows {
  readonly views: readonly TensorView[];
  readonly rows: number;
  readonly columns: number;
}

export function stack(...views: readonly [TensorView, ...TensorView[]]): Rows {
  const { columns } = views[0];
  assert(views.every((view) => view.columns === columns), `the matrices stacked on ${views[0].name} have one width`);
  return { views, rows: views.reduce((sum, view) => sum + view.rows, 0), columns };
}

/** The rows in order as float32, some at a time: of each matrix in multiples of `multiple` rows, but for its last ones. */
export async function* rowChunks({ views, columns }: Rows, multiple = 1): AsyncGenerator<Float32Array> {
  const rowsAtOnce = multiple * Math.max(1, Math.floor(CHUNK_BYTES / (multiple * columns * Float32Array.BYTES_PER_ELEMENT)));
  for (const view of views) {
    for (let row = 0; row < view.rows; row += rowsAtOnce) yield view.read(row, Math.min(rowsAtOnce, view.rows - row));
  }
}
