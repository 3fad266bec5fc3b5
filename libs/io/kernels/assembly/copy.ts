/** Copies `rows` rows of `width` floats; strides are in floats. */
export function copyRows(from: usize, fromStride: i32, to: usize, toStride: i32, rows: i32, width: i32): void {
  for (let row = 0; row < rows; row++) memory.copy(to + (usize(row) * toStride << 2), from + (usize(row) * fromStride << 2), usize(width) << 2);
}
