import { DOT_FORM } from './constants';
import { PAIRS } from './dot';
import { nibblePairs, nibbles } from './linear';

/**
 * x W^T for int4 weights, columns 16 firstPanel to 16 endPanel - 1. w: panel 0 of W [n, k]. A block of a panel has, for every eight k's,
 * [16 columns][4 bytes], the first four k's in the low nibbles; then 16 bf16 scales. xq: quantised rows [rows, k].
 * Row r, column c goes to out[r * outStride + c]. scratch: `linearScratchBytes(k, rows)` of the calling thread's own.
 */
export function linear4(w: usize, xq: usize, rows: i32, k: i32, firstPanel: i32, endPanel: i32, out: usize, outStride: i32, scratch: usize): void {
  if (load<i32>(DOT_FORM) == PAIRS) nibblePairs(w, xq, rows, k, firstPanel, endPanel, out, outStride, scratch);
  else nibbles(w, xq, rows, k, firstPanel, endPanel, out, outStride, scratch);
}
