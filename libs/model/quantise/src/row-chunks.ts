import { assert, type TensorView } from '@essaim/core';

/** Rows read at once, as float32: enough for the disk, little beside the model. */
const CHUNK_BYTES = 4 << 20;

/** One of the parts that a model is cut into. */
export interface Slice {
  readonly index: number;
  readonly of: number;
}

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

/** Part `index` of `of` equal parts of a matrix's rows; the first parts are one longer where it does not divide. */
export function rowSlice(view: TensorView, { index, of }: Slice): TensorView {
  if (of === 1) return view;
  const first = start(view.rows, index, of);
  return {
    ...named(view, `rows ${index + 1} of ${of}`), rows: start(view.rows, index + 1, of) - first, columns: view.columns,
    read: (row, count) => view.read(first + row, count),
  };
}

/** The same of its columns. */
export function columnSlice(view: TensorView, { index, of }: Slice): TensorView {
  if (of === 1) return view;
  const first = start(view.columns, index, of);
  const columns = start(view.columns, index + 1, of) - first;
  return {
    ...named(view, `columns ${index + 1} of ${of}`), rows: view.rows, columns,
    read: async (row, count) => {
      const whole = await view.read(row, count);
      const part = new Float32Array(count * columns);
      for (let nth = 0; nth < count; nth++) part.set(whole.subarray(nth * view.columns + first, nth * view.columns + first + columns), nth * columns);
      return part;
    },
  };
}

const named = (view: TensorView, part: string): Pick<TensorView, 'name' | 'dtype' | 'fingerprint'> => ({
  name: `${view.name} (${part})`, dtype: view.dtype, fingerprint: async () => `${await view.fingerprint()} ${part}`,
});

const start = (total: number, index: number, of: number): number => Math.ceil((total * index) / of);

/** The rows in order as float32, some at a time: of each matrix in multiples of `multiple` rows, but for its last ones. */
export async function* rowChunks({ views, columns }: Rows, multiple = 1): AsyncGenerator<Float32Array> {
  const rowsAtOnce = multiple * Math.max(1, Math.floor(CHUNK_BYTES / (multiple * columns * Float32Array.BYTES_PER_ELEMENT)));
  for (const view of views) {
    for (let row = 0; row < view.rows; row += rowsAtOnce) yield view.read(row, Math.min(rowsAtOnce, view.rows - row));
  }
}
