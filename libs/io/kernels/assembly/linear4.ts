import { LOW_NIBBLES } from './constants';
import { BLOCK, blocksOf, CHUNK, PANEL, quantisedStride } from './layout';
import { arrange } from './rows';
import { byteBlock, SUMS_BYTES, tiles } from './tile';

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
  const panel = scratch + SUMS_BYTES, arranged = panel + blocks * byteBlock(1);
  for (let row = 0; row < rows; row += CHUNK) {
    const count = min(CHUNK, rows - row);
    arrange(xq + row * quantisedStride(k), count, k, OFFSET, 1, arranged);
    for (let p = firstPanel; p < endPanel; p++) {
      decode(w + p * blocks * BLOCK_BYTES, blocks, panel);
      tiles(panel, arranged, count, blocks, 1, out + 4 * (row * outStride + p * PANEL), outStride, scratch);
    }
  }
}

/** A panel of nibbles as one of bytes. */
function decode(w: usize, blocks: i32, to: usize): void {
  const low = v128.load32_splat(LOW_NIBBLES);
  for (let block = 0; block < blocks; block++) {
    for (let group = 0; group < BLOCK; group += 8) {
      const w0 = v128.load(w), w1 = v128.load(w, 16), w2 = v128.load(w, 32), w3 = v128.load(w, 48);
      v128.store(to, v128.and(w0, low));
      v128.store(to, v128.and(w1, low), 16);
      v128.store(to, v128.and(w2, low), 32);
      v128.store(to, v128.and(w3, low), 48);
      v128.store(to, v128.and(i16x8.shr_u(w0, 4), low), 64);
      v128.store(to, v128.and(i16x8.shr_u(w1, 4), low), 80);
      v128.store(to, v128.and(i16x8.shr_u(w2, 4), low), 96);
      v128.store(to, v128.and(i16x8.shr_u(w3, 4), low), 112);
      w += 64;
      to += 128;
    }
    v128.store(to, v128.load(w));
    v128.store(to, v128.load(w, 16), 16);
    w += 2 * PANEL;
    to += 2 * PANEL;
  }
}
