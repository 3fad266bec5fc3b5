/**
 * A strip: one row against four panels beside each other, over all k; the operations of one result are those of a tile. The panels take
 * turns at every eight k's: what a single row takes is the time in which its weights come.
 */
import { add, begin, end, NIBBLE_PAIRS, signs, weights } from './codes';
import { HIGH_BITS, INTEGER_BASE, LOW_NIBBLES, ONES } from './constants';
import { BLOCK, PANEL } from './layout';
import { addRow, clear, MOST_PANELS } from './sums';

/** form: of the products, a constant. w: the first panel. x: the row as `arrangeQuantised` makes it. sums: where the results go. */
// @ts-ignore: decorator
@inline
export function strip(form: i32, w: usize, panelBytes: i32, x: usize, blocks: i32, sums: usize): void {
  const base = v128.load32_splat(INTEGER_BASE), ones = v128.load32_splat(ONES), mask = v128.load32_splat(form <= NIBBLE_PAIRS ? LOW_NIBBLES : HIGH_BITS);
  let w1 = w + panelBytes, w2 = w1 + panelBytes, w3 = w2 + panelBytes;
  let scales = x + BLOCK * blocks;
  clear(sums, MOST_PANELS);
  for (let block = 0; block < blocks; block++) {
    let a0 = begin(form, v128.load32_splat(scales, 4)), a1 = a0, a2 = a0, a3 = a0;
    let b0 = a0, b1 = a0, b2 = a0, b3 = a0, c0 = a0, c1 = a0, c2 = a0, c3 = a0, d0 = a0, d1 = a0, d2 = a0, d3 = a0;
    const behind = x + BLOCK;
    do {
      const x0 = v128.load32_splat(x), x1 = v128.load32_splat(x, 4);
      {
        const v0 = v128.load(w), v1 = v128.load(w, 16), v2 = v128.load(w, 32), v3 = v128.load(w, 48);
        a0 = four(form, x0, v0, mask, ones, a0); a1 = four(form, x0, v1, mask, ones, a1); a2 = four(form, x0, v2, mask, ones, a2); a3 = four(form, x0, v3, mask, ones, a3);
        const u0 = form <= NIBBLE_PAIRS ? i16x8.shr_u(v0, 4) : v128.load(w, 64), u1 = form <= NIBBLE_PAIRS ? i16x8.shr_u(v1, 4) : v128.load(w, 80);
        const u2 = form <= NIBBLE_PAIRS ? i16x8.shr_u(v2, 4) : v128.load(w, 96), u3 = form <= NIBBLE_PAIRS ? i16x8.shr_u(v3, 4) : v128.load(w, 112);
        a0 = four(form, x1, u0, mask, ones, a0); a1 = four(form, x1, u1, mask, ones, a1); a2 = four(form, x1, u2, mask, ones, a2); a3 = four(form, x1, u3, mask, ones, a3);
        w += form <= NIBBLE_PAIRS ? 4 * PANEL : 8 * PANEL;
      }
      {
        const v0 = v128.load(w1), v1 = v128.load(w1, 16), v2 = v128.load(w1, 32), v3 = v128.load(w1, 48);
        b0 = four(form, x0, v0, mask, ones, b0); b1 = four(form, x0, v1, mask, ones, b1); b2 = four(form, x0, v2, mask, ones, b2); b3 = four(form, x0, v3, mask, ones, b3);
        const u0 = form <= NIBBLE_PAIRS ? i16x8.shr_u(v0, 4) : v128.load(w1, 64), u1 = form <= NIBBLE_PAIRS ? i16x8.shr_u(v1, 4) : v128.load(w1, 80);
        const u2 = form <= NIBBLE_PAIRS ? i16x8.shr_u(v2, 4) : v128.load(w1, 96), u3 = form <= NIBBLE_PAIRS ? i16x8.shr_u(v3, 4) : v128.load(w1, 112);
        b0 = four(form, x1, u0, mask, ones, b0); b1 = four(form, x1, u1, mask, ones, b1); b2 = four(form, x1, u2, mask, ones, b2); b3 = four(form, x1, u3, mask, ones, b3);
        w1 += form <= NIBBLE_PAIRS ? 4 * PANEL : 8 * PANEL;
      }
      {
        const v0 = v128.load(w2), v1 = v128.load(w2, 16), v2 = v128.load(w2, 32), v3 = v128.load(w2, 48);
        c0 = four(form, x0, v0, mask, ones, c0); c1 = four(form, x0, v1, mask, ones, c1); c2 = four(form, x0, v2, mask, ones, c2); c3 = four(form, x0, v3, mask, ones, c3);
        const u0 = form <= NIBBLE_PAIRS ? i16x8.shr_u(v0, 4) : v128.load(w2, 64), u1 = form <= NIBBLE_PAIRS ? i16x8.shr_u(v1, 4) : v128.load(w2, 80);
        const u2 = form <= NIBBLE_PAIRS ? i16x8.shr_u(v2, 4) : v128.load(w2, 96), u3 = form <= NIBBLE_PAIRS ? i16x8.shr_u(v3, 4) : v128.load(w2, 112);
        c0 = four(form, x1, u0, mask, ones, c0); c1 = four(form, x1, u1, mask, ones, c1); c2 = four(form, x1, u2, mask, ones, c2); c3 = four(form, x1, u3, mask, ones, c3);
        w2 += form <= NIBBLE_PAIRS ? 4 * PANEL : 8 * PANEL;
      }
      {
        const v0 = v128.load(w3), v1 = v128.load(w3, 16), v2 = v128.load(w3, 32), v3 = v128.load(w3, 48);
        d0 = four(form, x0, v0, mask, ones, d0); d1 = four(form, x0, v1, mask, ones, d1); d2 = four(form, x0, v2, mask, ones, d2); d3 = four(form, x0, v3, mask, ones, d3);
        const u0 = form <= NIBBLE_PAIRS ? i16x8.shr_u(v0, 4) : v128.load(w3, 64), u1 = form <= NIBBLE_PAIRS ? i16x8.shr_u(v1, 4) : v128.load(w3, 80);
        const u2 = form <= NIBBLE_PAIRS ? i16x8.shr_u(v2, 4) : v128.load(w3, 96), u3 = form <= NIBBLE_PAIRS ? i16x8.shr_u(v3, 4) : v128.load(w3, 112);
        d0 = four(form, x1, u0, mask, ones, d0); d1 = four(form, x1, u1, mask, ones, d1); d2 = four(form, x1, u2, mask, ones, d2); d3 = four(form, x1, u3, mask, ones, d3);
        w3 += form <= NIBBLE_PAIRS ? 4 * PANEL : 8 * PANEL;
      }
      x += 8;
    } while (x < behind);
    if (form == NIBBLE_PAIRS) {
      const start = v128.load32_splat(scales, 4);
      a0 = end(a0, start, ones); a1 = end(a1, start, ones); a2 = end(a2, start, ones); a3 = end(a3, start, ones);
      b0 = end(b0, start, ones); b1 = end(b1, start, ones); b2 = end(b2, start, ones); b3 = end(b3, start, ones);
      c0 = end(c0, start, ones); c1 = end(c1, start, ones); c2 = end(c2, start, ones); c3 = end(c3, start, ones);
      d0 = end(d0, start, ones); d1 = end(d1, start, ones); d2 = end(d2, start, ones); d3 = end(d3, start, ones);
    }
    const scale = v128.load32_splat(scales);
    addPanel(sums, w, scale, a0, a1, a2, a3, base);
    addPanel(sums + 4 * PANEL, w1, scale, b0, b1, b2, b3, base);
    addPanel(sums + 8 * PANEL, w2, scale, c0, c1, c2, c3, base);
    addPanel(sums + 12 * PANEL, w3, scale, d0, d1, d2, d3, base);
    w += 2 * PANEL;
    w1 += 2 * PANEL;
    w2 += 2 * PANEL;
    w3 += 2 * PANEL;
    scales += 8;
  }
}

/** sum + the products of four k's and four columns. */
// @ts-ignore: decorator
@inline
function four(form: i32, x: v128, codes: v128, mask: v128, ones: v128, sum: v128): v128 {
  return add(form, x, weights(form, codes, mask), signs(codes, mask), ones, sum);
}

/** Adds the products with one panel, whose scales are at w. */
// @ts-ignore: decorator
@inline
function addPanel(sums: usize, w: usize, scale: v128, p0: v128, p1: v128, p2: v128, p3: v128, base: v128): void {
  // Not `load16x4_u`, see `tile`.
  const firsts = v128.load(w), lasts = v128.load(w, 16);
  const s0 = i32x4.shl(i32x4.extend_low_i16x8_u(firsts), 16), s1 = i32x4.shl(i32x4.extend_high_i16x8_u(firsts), 16);
  const s2 = i32x4.shl(i32x4.extend_low_i16x8_u(lasts), 16), s3 = i32x4.shl(i32x4.extend_high_i16x8_u(lasts), 16);
  addRow(sums, scale, p0, p1, p2, p3, s0, s1, s2, s3, base);
}
