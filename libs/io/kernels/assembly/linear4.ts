import { BLOCK, blocksOf, CHUNK, PANEL, quantisedStride } from './layout';
import { arrangeQuantised } from './rows';
import { SUMS_BYTES, tiles } from './tile';

/** The code that means zero. */
const OFFSET: i32 = 8;
/** Bytes of a block of a panel: for every eight k's [16 columns][4 bytes], the first four k's in the low nibbles; then 16 bf16 scales. */
const BLOCK_BYTES: i32 = PANEL * BLOCK / 2 + 2 * PANEL;

/**
 * x W^T for int4 weights, columns 16 firstPanel to 16 endPanel - 1. w: panel 0 of W [n, k]. xq: quantised rows [rows, k].
 * Row r, column c goes to out[r * outStride + c]. scratch: `linearScratchBytes(k, rows)` of the calling thread's own.
 */
export function linear4(w: usize, xq: usize, rows: i32, k: i32, firstPanel: i32, endPanel: i32, out: usize, outStride: i32, scratch: usize): void {
  const blocks = blocksOf(k);
  const arranged = scratch + SUMS_BYTES;
  for (let row = 0; row < rows; row += CHUNK) {
    const count = min(CHUNK, rows - row);
    arrangeQuantised(xq + row * quantisedStride(k), count, k, OFFSET, 1, arranged);
    for (let p = firstPanel; p < endPanel; p++) {
      tiles(true, w + p * blocks * BLOCK_BYTES, arranged, count, blocks, 1, out + 4 * (row * outStride + p * PANEL), outStride, scratch);
    }
  }
}
