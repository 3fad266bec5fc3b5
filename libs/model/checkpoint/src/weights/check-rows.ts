import { assert, type TensorView } from '@essaim/core';

/** A reader that asks for rows outside a view has a bug, also where the file goes on. */
export function checkRows({ name, rows }: TensorView, firstRow: number, rowCount: number): void {
  const within = Number.isSafeInteger(firstRow) && Number.isSafeInteger(rowCount) && firstRow >= 0 && rowCount >= 0 && firstRow + rowCount <= rows;
  assert(within, `rows ${firstRow} to ${firstRow + rowCount} of ${name} are within its ${rows}`);
}
