import { DOT_FORM } from './constants';
import { SIGNED, UNSIGNED } from './dot';
import { bytePairs, signedBytes, unsignedBytes } from './linear';

/**
 * x W^T for int8 weights. A block of a panel has, for every four k's, [16 columns][4 bytes], codes that are 128 too high; then 16 bf16
 * scales. The arguments are those of `linear4`.
 */
export function linear8(w: usize, xq: usize, rows: i32, k: i32, firstPanel: i32, endPanel: i32, out: usize, outStride: i32, scratch: usize): void {
  const form = load<i32>(DOT_FORM);
  if (form == UNSIGNED) unsignedBytes(w, xq, rows, k, firstPanel, endPanel, out, outStride, scratch);
  else if (form == SIGNED) signedBytes(w, xq, rows, k, firstPanel, endPanel, out, outStride, scratch);
  else bytePairs(w, xq, rows, k, firstPanel, endPanel, out, outStride, scratch);
}
