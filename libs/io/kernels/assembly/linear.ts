/** All rows against panels of codes, in each form of the products. The arguments are those of `linear4`. */
import { BYTE_PAIRS, NIBBLE_PAIRS, NIBBLES, offsetOf, SIGNED_BYTES, UNSIGNED_BYTES } from './codes';
import { BLOCK, blocksOf, CHUNK, PANEL, quantisedStride, TILE } from './layout';
import { arrangedBytes, arrangeQuantised } from './rows';
import { STRIP, strip } from './strip';
import { copyRow, SUMS_BYTES } from './sums';
import { Four, One, Three, tile, Two } from './tile';

// A function per form: V8 makes a function 256 bits wide as a whole or not at all.

export function nibbles(w: usize, xq: usize, rows: i32, k: i32, firstPanel: i32, endPanel: i32, out: usize, outStride: i32, scratch: usize): void {
  linear(NIBBLES, w, xq, rows, k, firstPanel, endPanel, out, outStride, scratch);
}

export function nibblePairs(w: usize, xq: usize, rows: i32, k: i32, firstPanel: i32, endPanel: i32, out: usize, outStride: i32, scratch: usize): void {
  linear(NIBBLE_PAIRS, w, xq, rows, k, firstPanel, endPanel, out, outStride, scratch);
}

export function unsignedBytes(w: usize, xq: usize, rows: i32, k: i32, firstPanel: i32, endPanel: i32, out: usize, outStride: i32, scratch: usize): void {
  linear(UNSIGNED_BYTES, w, xq, rows, k, firstPanel, endPanel, out, outStride, scratch);
}

export function signedBytes(w: usize, xq: usize, rows: i32, k: i32, firstPanel: i32, endPanel: i32, out: usize, outStride: i32, scratch: usize): void {
  linear(SIGNED_BYTES, w, xq, rows, k, firstPanel, endPanel, out, outStride, scratch);
}

export function bytePairs(w: usize, xq: usize, rows: i32, k: i32, firstPanel: i32, endPanel: i32, out: usize, outStride: i32, scratch: usize): void {
  linear(BYTE_PAIRS, w, xq, rows, k, firstPanel, endPanel, out, outStride, scratch);
}

/** form: a constant. */
// @ts-ignore: decorator
@inline
function linear(form: i32, w: usize, xq: usize, rows: i32, k: i32, firstPanel: i32, endPanel: i32, out: usize, outStride: i32, scratch: usize): void {
  const blocks = blocksOf(k), arranged = scratch + SUMS_BYTES;
  const panelBytes = blocks * ((form <= NIBBLE_PAIRS ? PANEL * BLOCK / 2 : PANEL * BLOCK) + 2 * PANEL);
  for (let row = 0; row < rows; row += CHUNK) {
    const count = min(CHUNK, rows - row);
    arrangeQuantised(xq + row * quantisedStride(k), count, k, offsetOf(form), arranged);
    const to = out + 4 * row * outStride;
    let p = firstPanel;
    for (; count == 1 && p + STRIP <= endPanel; p += STRIP) {
      strip(form, w + p * panelBytes, panelBytes, arranged, blocks, scratch);
      for (let i = 0; i < STRIP; i++) copyRow(scratch + 4 * PANEL * i, to + 4 * PANEL * (p + i));
    }
    for (; p < endPanel; p++) tiles(form, w + p * panelBytes, arranged, count, blocks, to + 4 * PANEL * p, outStride, scratch);
  }
}

/** A chunk of arranged rows against one panel. out: the place of the panel's first column in the first row. */
// @ts-ignore: decorator
@inline
function tiles(form: i32, w: usize, x: usize, rows: i32, blocks: i32, out: usize, outStride: i32, sums: usize): void {
  for (; rows >= TILE; rows -= TILE) {
    tile<Four>(form, w, x, blocks, sums);
    x += TILE * arrangedBytes(blocks);
    for (let i = 0; i < TILE; i++) {
      copyRow(sums + 4 * PANEL * i, out);
      out += 4 * outStride;
    }
  }
  if (rows == 3) tile<Three>(form, w, x, blocks, sums);
  else if (rows == 2) tile<Two>(form, w, x, blocks, sums);
  else if (rows == 1) tile<One>(form, w, x, blocks, sums);
  for (let i = 0; i < rows; i++) {
    copyRow(sums + 4 * PANEL * i, out);
    out += 4 * outStride;
  }
}
