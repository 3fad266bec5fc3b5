/** Rows of `values` [places.length, width] with the row of another matrix that each belongs to. */
export interface PlacedRows {
  readonly values: Float32Array;
  readonly width: number;
  readonly places: readonly number[];
}

/** The named rows of `values` [all rows, width], one after the other. */
export function gatherRows(values: Float32Array, rows: readonly number[], width: number): Float32Array {
  const gathered = new Float32Array(rows.length * width);
  for (let nth = 0; nth < rows.length; nth++) gathered.set(values.subarray(rows[nth]! * width, (rows[nth]! + 1) * width), nth * width);
  return gathered;
}

/** Adds each row to its place in `sums` [all places, width]. */
export function scatterAdd(sums: Float32Array, { values, width, places }: PlacedRows): void {
  for (let nth = 0; nth < places.length; nth++) {
    const [from, to] = [nth * width, places[nth]! * width];
    for (let index = 0; index < width; index++) sums[to + index]! += values[from + index]!;
  }
}

/**
 * Adds weights[nth] * row nth to its place in `sums` [all places, width]. The product is rounded to float32 before it is added: so a sum
 * made here and a sum that the caller makes of weighted rows are the same, bit for bit.
 */
export function scatterAddWeighted(sums: Float32Array, { values, width, places }: PlacedRows, weights: readonly number[]): void {
  for (let nth = 0; nth < places.length; nth++) {
    const [from, to, weight] = [nth * width, places[nth]! * width, weights[nth]!];
    for (let index = 0; index < width; index++) sums[to + index]! += Math.fround(weight * values[from + index]!);
  }
}
