/**
 * A tile: up to four rows against some panels of 16 columns beside each other, over all k. The order of operations of one result is the same in every form:
 * per block, ascending, acc = fma(float(sum of the block's products), scale of x * scale of w, acc). So a row's result does not depend
 * on the rows beside it.
 *
 * The panels take turns at every block: where weights come from memory, four streams at once bring a fifth to a third more than one. From
 * a cache, few rows lose some percent, and many gain as much.
 *
 * Loops are small and vectors come in fours, because V8 makes pairs of neighbours one of 256 bits where a pair of stores ends them.
 */
import { add, begin, blockBytes, end, NIBBLE_PAIRS, signs, weights } from './codes';
import { HIGH_BITS, INTEGER_BASE, LOW_NIBBLES, ONES } from './constants';
import { BLOCK, PANEL } from './layout';
import { addRow, clear } from './sums';

// A word of each row of a group. The size and the places of its words are constants that addresses can have.
@unmanaged export class One { a: u32; }
@unmanaged export class Two { a: u32; b: u32; }
@unmanaged export class Three { a: u32; b: u32; c: u32; }
@unmanaged export class Four { a: u32; b: u32; c: u32; d: u32; }

/**
 * One group of rows. form: of the products, a constant. w: the first of the panels, which are panelBytes apart. x: the group as
 * `arrangeQuantised` makes it. sums: where the results go, for each panel and row 16 floats.
 */
// @ts-ignore: decorator
@inline
export function tile<Rows>(form: i32, w: usize, panelBytes: i32, panels: i32, x: usize, blocks: i32, sums: usize): void {
  const base = v128.load32_splat(INTEGER_BASE), ones = v128.load32_splat(ONES), mask = v128.load32_splat(form <= NIBBLE_PAIRS ? LOW_NIBBLES : HIGH_BITS);
  let scales = x + BLOCK / 4 * blocks * offsetof<Rows>();
  clear(sums, panels * offsetof<Rows>() / 4);
  for (let block = 0; block < blocks; block++) {
    const behind = x + BLOCK / 4 * offsetof<Rows>();
    let to = sums, next = w;
    for (let panel = 0; panel < panels; panel++) {
      let codes = next, at = x;
      let a0 = begin(form, v128.load32_splat(scales, offsetof<Rows>())), a1 = a0, a2 = a0, a3 = a0;
      let b0 = a0, b1 = a0, b2 = a0, b3 = a0, c0 = a0, c1 = a0, c2 = a0, c3 = a0, d0 = a0, d1 = a0, d2 = a0, d3 = a0;
      if (offsetof<Rows>() > 4) { b0 = begin(form, v128.load32_splat(scales, offsetof<Rows>() + 4)); b1 = b0; b2 = b0; b3 = b0; }
      if (offsetof<Rows>() > 8) { c0 = begin(form, v128.load32_splat(scales, offsetof<Rows>() + 8)); c1 = c0; c2 = c0; c3 = c0; }
      if (offsetof<Rows>() > 12) { d0 = begin(form, v128.load32_splat(scales, offsetof<Rows>() + 12)); d1 = d0; d2 = d0; d3 = d0; }
      do {
        const w0 = v128.load(codes), w1 = v128.load(codes, 16), w2 = v128.load(codes, 32), w3 = v128.load(codes, 48);
        const p0 = weights(form, w0, mask), p1 = weights(form, w1, mask), p2 = weights(form, w2, mask), p3 = weights(form, w3, mask);
        const m0 = signs(w0, mask), m1 = signs(w1, mask), m2 = signs(w2, mask), m3 = signs(w3, mask);
        const a = v128.load32_splat(at);
        a0 = add(form, a, p0, m0, ones, a0); a1 = add(form, a, p1, m1, ones, a1); a2 = add(form, a, p2, m2, ones, a2); a3 = add(form, a, p3, m3, ones, a3);
        if (offsetof<Rows>() > 4) {
          const b = v128.load32_splat(at, 4);
          b0 = add(form, b, p0, m0, ones, b0); b1 = add(form, b, p1, m1, ones, b1); b2 = add(form, b, p2, m2, ones, b2); b3 = add(form, b, p3, m3, ones, b3);
        }
        if (offsetof<Rows>() > 8) {
          const c = v128.load32_splat(at, 8);
          c0 = add(form, c, p0, m0, ones, c0); c1 = add(form, c, p1, m1, ones, c1); c2 = add(form, c, p2, m2, ones, c2); c3 = add(form, c, p3, m3, ones, c3);
        }
        if (offsetof<Rows>() > 12) {
          const d = v128.load32_splat(at, 12);
          d0 = add(form, d, p0, m0, ones, d0); d1 = add(form, d, p1, m1, ones, d1); d2 = add(form, d, p2, m2, ones, d2); d3 = add(form, d, p3, m3, ones, d3);
        }
        const v0 = form <= NIBBLE_PAIRS ? i16x8.shr_u(w0, 4) : v128.load(codes, 64), v1 = form <= NIBBLE_PAIRS ? i16x8.shr_u(w1, 4) : v128.load(codes, 80);
        const v2 = form <= NIBBLE_PAIRS ? i16x8.shr_u(w2, 4) : v128.load(codes, 96), v3 = form <= NIBBLE_PAIRS ? i16x8.shr_u(w3, 4) : v128.load(codes, 112);
        const q0 = weights(form, v0, mask), q1 = weights(form, v1, mask), q2 = weights(form, v2, mask), q3 = weights(form, v3, mask);
        const n0 = signs(v0, mask), n1 = signs(v1, mask), n2 = signs(v2, mask), n3 = signs(v3, mask);
        const e = v128.load32_splat(at, offsetof<Rows>());
        a0 = add(form, e, q0, n0, ones, a0); a1 = add(form, e, q1, n1, ones, a1); a2 = add(form, e, q2, n2, ones, a2); a3 = add(form, e, q3, n3, ones, a3);
        if (offsetof<Rows>() > 4) {
          const f = v128.load32_splat(at, offsetof<Rows>() + 4);
          b0 = add(form, f, q0, n0, ones, b0); b1 = add(form, f, q1, n1, ones, b1); b2 = add(form, f, q2, n2, ones, b2); b3 = add(form, f, q3, n3, ones, b3);
        }
        if (offsetof<Rows>() > 8) {
          const g = v128.load32_splat(at, offsetof<Rows>() + 8);
          c0 = add(form, g, q0, n0, ones, c0); c1 = add(form, g, q1, n1, ones, c1); c2 = add(form, g, q2, n2, ones, c2); c3 = add(form, g, q3, n3, ones, c3);
        }
        if (offsetof<Rows>() > 12) {
          const h = v128.load32_splat(at, offsetof<Rows>() + 12);
          d0 = add(form, h, q0, n0, ones, d0); d1 = add(form, h, q1, n1, ones, d1); d2 = add(form, h, q2, n2, ones, d2); d3 = add(form, h, q3, n3, ones, d3);
        }
        codes += form <= NIBBLE_PAIRS ? 4 * PANEL : 8 * PANEL;
        at += 2 * offsetof<Rows>();
      } while (at < behind);
      // Not `load16x4_u`: V8 13.6 makes two of them one at the address of the second.
      const firsts = v128.load(codes), lasts = v128.load(codes, 16);
      const s0 = i32x4.shl(i32x4.extend_low_i16x8_u(firsts), 16), s1 = i32x4.shl(i32x4.extend_high_i16x8_u(firsts), 16);
      const s2 = i32x4.shl(i32x4.extend_low_i16x8_u(lasts), 16), s3 = i32x4.shl(i32x4.extend_high_i16x8_u(lasts), 16);
      if (form == NIBBLE_PAIRS) {
        { const start = v128.load32_splat(scales, offsetof<Rows>()); a0 = end(a0, start, ones); a1 = end(a1, start, ones); a2 = end(a2, start, ones); a3 = end(a3, start, ones); }
        if (offsetof<Rows>() > 4) { const start = v128.load32_splat(scales, offsetof<Rows>() + 4); b0 = end(b0, start, ones); b1 = end(b1, start, ones); b2 = end(b2, start, ones); b3 = end(b3, start, ones); }
        if (offsetof<Rows>() > 8) { const start = v128.load32_splat(scales, offsetof<Rows>() + 8); c0 = end(c0, start, ones); c1 = end(c1, start, ones); c2 = end(c2, start, ones); c3 = end(c3, start, ones); }
        if (offsetof<Rows>() > 12) { const start = v128.load32_splat(scales, offsetof<Rows>() + 12); d0 = end(d0, start, ones); d1 = end(d1, start, ones); d2 = end(d2, start, ones); d3 = end(d3, start, ones); }
      }
      addRow(to, v128.load32_splat(scales), a0, a1, a2, a3, s0, s1, s2, s3, base);
      if (offsetof<Rows>() > 4) addRow(to + 4 * PANEL, v128.load32_splat(scales, 4), b0, b1, b2, b3, s0, s1, s2, s3, base);
      if (offsetof<Rows>() > 8) addRow(to + 8 * PANEL, v128.load32_splat(scales, 8), c0, c1, c2, c3, s0, s1, s2, s3, base);
      if (offsetof<Rows>() > 12) addRow(to + 12 * PANEL, v128.load32_splat(scales, 12), d0, d1, d2, d3, s0, s1, s2, s3, base);
      to += PANEL * offsetof<Rows>();
      next += panelBytes;
    }
    w += blockBytes(form);
    x = behind;
    scales += 2 * offsetof<Rows>();
  }
}
