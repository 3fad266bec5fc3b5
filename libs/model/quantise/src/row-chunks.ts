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

/** The same rows in order, as matrices of at most `mostRows` each. */
export function splitRows({ views, rows, columns }: Rows, mostRows: number): Rows[] {
  assert(mostRows >= 1, `a row of ${views[0]!.name} has room in a matrix`);
  if (rows <= mostRows) return [{ views, rows, columns }];
  const parts: { views: TensorView[]; rows: number; readonly columns: number }[] = [];
  for (const view of views) {
    for (let first = 0; first < view.rows; ) {
      const open = parts.at(-1);
      const part = open !== undefined && open.rows < mostRows ? open : parts[parts.push({ views: [], rows: 0, columns }) - 1]!;
      const count = Math.min(mostRows - part.rows, view.rows - first);
      part.views.push(rowsOf(view, first, count));
      part.rows += count;
      first += count;
    }
  }
  return parts;
}

function rowsOf(view: TensorView, first: number, count: number): TensorView {
  if (count === view.rows) return view;
  const range = `rows ${first} to ${first + count}`;
  return {
    name: `${view.name}, ${range}`, rows: count, columns: view.columns, dtype: view.dtype,
    fingerprint: async () => `${await view.fingerprint()} ${range}`,
    read: (firstRow, rowCount) => view.read(first + firstRow, rowCount),
  };
}

/** The rows in order as float32, some at a time: of each matrix in multiples of `multiple` rows, but for its last ones. */
export async function* rowChunks({ views, columns }: Rows, multiple = 1): AsyncGenerator<Float32Array> {
  const rowsAtOnce = multiple * Math.max(1, Math.floor(CHUNK_BYTES / (multiple * columns * Float32Array.BYTES_PER_ELEMENT)));
  for (const view of views) {
    for (let row = 0; row < view.rows; row += rowsAtOnce) yield view.read(row, Math.min(rowsAtOnce, view.rows - row));
  }
}
