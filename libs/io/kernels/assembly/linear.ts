/** All rows against panels of codes, in each form of the products. The arguments are those of `linear4`. */
import { blockBytes, BYTE_PAIRS, NIBBLE_PAIRS, NIBBLES, offsetOf, SIGNED_BYTES, UNSIGNED_BYTES } from './codes';
import { blocksOf, CHUNK, PANEL, quantisedStride, TILE } from './layout';
import { arrangedBytes, arrangeQuantised } from './rows';
import { strip } from './strip';
import { MOST_PANELS, place, SUMS_BYTES } from './sums';
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
  const panelBytes = blocks * blockBytes(form);
  for (let row = 0; row < rows; row += CHUNK) {
    const count = min(CHUNK, rows - row);
    const to = out + 4 * row * outStride;
    arrangeQuantised(xq + row * quantisedStride(k), count, k, offsetOf(form), arranged);
    let p = firstPanel;
    for (; count == 1 && p + MOST_PANELS <= endPanel; p += MOST_PANELS) {
      strip(form, w + p * panelBytes, panelBytes, arranged, blocks, scratch);
      place(scratch, MOST_PANELS, 1, to + 4 * PANEL * p, outStride);
    }
    for (; p < endPanel; p += MOST_PANELS) tiles(form, w + p * panelBytes, panelBytes, min(MOST_PANELS, endPanel - p), arranged, count, blocks, to + 4 * PANEL * p, outStride, scratch);
  }
}

/** A chunk of arranged rows against some panels. out: the place of the first panel in the first row. */
// @ts-ignore: decorator
@inline
function tiles(form: i32, w: usize, panelBytes: i32, panels: i32, x: usize, rows: i32, blocks: i32, out: usize, outStride: i32, sums: usize): void {
  for (; rows >= TILE; rows -= TILE) {
    tile<Four>(form, w, panelBytes, panels, x, blocks, sums);
    place(sums, panels, TILE, out, outStride);
    x += TILE * arrangedBytes(blocks);
    out += 4 * TILE * outStride;
  }
  if (rows == 3) tile<Three>(form, w, panelBytes, panels, x, blocks, sums);
  else if (rows == 2) tile<Two>(form, w, panelBytes, panels, x, blocks, sums);
  else if (rows == 1) tile<One>(form, w, panelBytes, panels, x, blocks, sums);
  place(sums, panels, rows, out, outStride);
}
