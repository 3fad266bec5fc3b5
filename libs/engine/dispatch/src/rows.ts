/** A run of float32 values inside an array. */
export interface Span {
  readonly values: Float32Array;
  readonly from: number;
  readonly count: number;
}

/** The named rows of `values` [all rows, width], one after the other. */
export function gatherRows(values: Float32Array, rows: ArrayLike<number>, width: number): Float32Array {
  const gathered = new Float32Array(rows.length * width);
  for (let nth = 0; nth < rows.length; nth++) gathered.set(values.subarray(rows[nth]! * width, (rows[nth]! + 1) * width), nth * width);
  return gathered;
}

/**
 * Adds weight * span to `sums` at `at`. The product is rounded to float32 before it is added: so a sum made here and a sum of weighted
 * rows made by the caller are the same, bit for bit.
 */
export function addWeighted(sums: Float32Array, at: number, { values, from, count, weight }: Span & { readonly weight: number }): void {
  for (let nth = 0; nth < count; nth++) sums[at + nth]! += Math.fround(weight * values[from + nth]!);
}

/** Adds `span` to `sums` at `at`. */
export function addSpan(sums: Float32Array, at: number, { values, from, count }: Span): void {
  for (let nth = 0; nth < count; nth++) sums[at + nth]! += values[from + nth]!;
}
