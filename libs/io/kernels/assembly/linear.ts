/** All rows against panels of codes; what `linear4` and `linear8` have in common. */
import { blocksOf, BLOCK, CHUNK, PANEL, quantisedStride, TILE } from './layout';
import { arrangedBytes, arrangeQuantised } from './rows';
import { Four, One, SUMS_BYTES, Three, tile, Two } from './tile';

/** offset: the code that means zero in this form. The other arguments are those of `tile` and `linear4`. */
// @ts-ignore: decorator
@inline
export function linear(nibbles: bool, form: i32, offset: i32, w: usize, xq: usize, rows: i32, k: i32, firstPanel: i32, endPanel: i32, out: usize, outStride: i32, scratch: usize): void {
  const blocks = blocksOf(k), arranged = scratch + SUMS_BYTES;
  const panelBytes = blocks * ((nibbles ? PANEL * BLOCK / 2 : PANEL * BLOCK) + 2 * PANEL);
  for (let row = 0; row < rows; row += CHUNK) {
    const count = min(CHUNK, rows - row);
    arrangeQuantised(xq + row * quantisedStride(k), count, k, offset, arranged);
    for (let p = firstPanel; p < endPanel; p++) {
      tiles(nibbles, form, w + p * panelBytes, arranged, count, blocks, out + 4 * (row * outStride + p * PANEL), outStride, scratch);
    }
  }
}

/** A chunk of arranged rows against one panel. out: the place of the panel's first column in the first row. */
// @ts-ignore: decorator
@inline
function tiles(nibbles: bool, form: i32, w: usize, x: usize, rows: i32, blocks: i32, out: usize, outStride: i32, sums: usize): void {
  for (; rows >= TILE; rows -= TILE) {
    tile<Four>(nibbles, form, w, x, blocks, sums);
    x += TILE * arrangedBytes(blocks);
    for (let i = 0; i < TILE; i++) {
      copyRow(sums + 4 * PANEL * i, out);
      out += 4 * outStride;
    }
  }
  if (rows == 3) tile<Three>(nibbles, form, w, x, blocks, sums);
  else if (rows == 2) tile<Two>(nibbles, form, w, x, blocks, sums);
  else if (rows == 1) tile<One>(nibbles, form, w, x, blocks, sums);
  for (let i = 0; i < rows; i++) {
    copyRow(sums + 4 * PANEL * i, out);
    out += 4 * outStride;
  }
}

// @ts-ignore: decorator
@inline
function copyRow(from: usize, to: usize): void {
  for (let i = 0; i < 4 * PANEL; i += 16) v128.store(to + i, v128.load(from + i));
}
