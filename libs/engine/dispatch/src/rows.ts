/** One row of `values` [all rows, width]. */
export interface MatrixRow {
  readonly values: Float32Array;
  readonly width: number;
  readonly row: number;
}

/** Copies a row over row `place` of `target` [all places, width]. */
export function copyRow(target: Float32Array, place: number, { values, width, row }: MatrixRow): void {
  target.set(values.subarray(row * width, (row + 1) * width), place * width);
}

/** Adds a row to row `place` of `sums` [all places, width]. */
export function addRow(sums: Float32Array, place: number, { values, width, row }: MatrixRow): void {
  const [from, to] = [row * width, place * width];
  for (let index = 0; index < width; index++) sums[to + index]! += values[from + index]!;
}

/**
 * Adds weight * a row to row `place` of `sums` [all places, width]. The product is rounded to float32 before it is added: so a sum
 * made here and a sum that the caller makes of weighted rows are the same, bit for bit.
 */
export function addWeightedRow(sums: Float32Array, place: number, { values, width, row, weight }: MatrixRow & { readonly weight: number }): void {
  const [from, to] = [row * width, place * width];
  for (let index = 0; index < width; index++) sums[to + index]! += Math.fround(weight * values[from + index]!);
}
