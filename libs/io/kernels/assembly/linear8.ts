import { DOT_FORM } from './constants';
import { PAIRS, SIGNED, UNSIGNED } from './dot';
import { linear } from './linear';

/**
 * x W^T for int8 weights. A block of a panel has, for every four k's, [16 columns][4 bytes], codes that are 128 too high; then 16 bf16
 * scales. The arguments are those of `linear4`.
 */
export function linear8(w: usize, xq: usize, rows: i32, k: i32, firstPanel: i32, endPanel: i32, out: usize, outStride: i32, scratch: usize): void {
  const form = load<i32>(DOT_FORM);
  if (form == UNSIGNED) linear(false, UNSIGNED, 128, w, xq, rows, k, firstPanel, endPanel, out, outStride, scratch);
  else if (form == SIGNED) linear(false, SIGNED, 0, w, xq, rows, k, firstPanel, endPanel, out, outStride, scratch);
  else linear(false, PAIRS, 0, w, xq, rows, k, firstPanel, endPanel, out, outStride, scratch);
}
