/**
 * A tile: up to four rows against one panel of 16 columns, over all k. The order of operations of one result is the same in every form:
 * per block, ascending, acc = fma(float(sum of the block's products), scale of x * scale of w, acc). So a row's result does not depend
 * on the rows beside it.
 *
 * There are forms for the nibbles of int4 and the bytes of int8, and for what the dot instruction can do. Products are taken of signed
 * activations and of weights that it takes exactly:
 * - nibbles are 0 to 15, 8 too high. In pairs, eight sums of 16 bits are added before they become sums of 32: 8 * 2 * 127 * 15 < 2^15.
 * - bytes are 128 too high where they are taken as unsigned, and less 128 where as signed. In pairs, magnitudes are the weights, and the
 *   activations get their signs: 2 * 127 * 127 < 2^15, and a weight of -128, which quantising never makes, is right if unsigned.
 *
 * Loops are small and vectors come in fours, because V8 makes pairs of neighbours one of 256 bits where a pair of stores ends them.
 */
import { HIGH_BITS, INTEGER_BASE, LOW_NIBBLES, ONES } from './constants';
import { dot, dotPairs, PAIRS, SIGNED, UNSIGNED } from './dot';
import { BLOCK, PANEL, TILE } from './layout';

/** Bytes of the sums of one tile. */
export const SUMS_BYTES: i32 = 4 * PANEL * TILE;

// A word of each row of a group. The size and the places of its words are constants that addresses can have.
@unmanaged export class One { a: u32; }
@unmanaged export class Two { a: u32; b: u32; }
@unmanaged export class Three { a: u32; b: u32; c: u32; }
@unmanaged export class Four { a: u32; b: u32; c: u32; d: u32; }

/**
 * One group of rows. nibbles: a byte of the panel is two codes. form: of the products. x: the group as `arrangeQuantised` makes it.
 * sums: where the rows' results go, 16 floats each.
 */
// @ts-ignore: decorator
@inline
export function tile<Rows>(nibbles: bool, form: i32, w: usize, x: usize, blocks: i32, sums: usize): void {
  const base = v128.load32_splat(INTEGER_BASE), ones = v128.load32_splat(ONES), mask = v128.load32_splat(nibbles ? LOW_NIBBLES : HIGH_BITS);
  let scales = x + BLOCK / 4 * blocks * offsetof<Rows>();
  // The sums of one row stay in registers; those of several would take too many.
  let t0 = f32x4.splat(0), t1 = t0, t2 = t0, t3 = t0;
  if (offsetof<Rows>() > 4) clear(sums, offsetof<Rows>() / 4);
  for (let block = 0; block < blocks; block++) {
    let a0 = start(nibbles, form, v128.load32_splat(scales, offsetof<Rows>())), a1 = a0, a2 = a0, a3 = a0;
    let b0 = a0, b1 = a0, b2 = a0, b3 = a0, c0 = a0, c1 = a0, c2 = a0, c3 = a0, d0 = a0, d1 = a0, d2 = a0, d3 = a0;
    if (offsetof<Rows>() > 4) { b0 = start(nibbles, form, v128.load32_splat(scales, offsetof<Rows>() + 4)); b1 = b0; b2 = b0; b3 = b0; }
    if (offsetof<Rows>() > 8) { c0 = start(nibbles, form, v128.load32_splat(scales, offsetof<Rows>() + 8)); c1 = c0; c2 = c0; c3 = c0; }
    if (offsetof<Rows>() > 12) { d0 = start(nibbles, form, v128.load32_splat(scales, offsetof<Rows>() + 12)); d1 = d0; d2 = d0; d3 = d0; }
    const end = x + BLOCK / 4 * offsetof<Rows>();
    do {
      const w0 = v128.load(w), w1 = v128.load(w, 16), w2 = v128.load(w, 32), w3 = v128.load(w, 48);
      const p0 = weights(nibbles, form, w0, mask), p1 = weights(nibbles, form, w1, mask), p2 = weights(nibbles, form, w2, mask), p3 = weights(nibbles, form, w3, mask);
      const m0 = signs(w0, mask), m1 = signs(w1, mask), m2 = signs(w2, mask), m3 = signs(w3, mask);
      const a = v128.load32_splat(x);
      a0 = add(nibbles, form, a, p0, m0, ones, a0); a1 = add(nibbles, form, a, p1, m1, ones, a1); a2 = add(nibbles, form, a, p2, m2, ones, a2); a3 = add(nibbles, form, a, p3, m3, ones, a3);
      if (offsetof<Rows>() > 4) {
        const b = v128.load32_splat(x, 4);
        b0 = add(nibbles, form, b, p0, m0, ones, b0); b1 = add(nibbles, form, b, p1, m1, ones, b1); b2 = add(nibbles, form, b, p2, m2, ones, b2); b3 = add(nibbles, form, b, p3, m3, ones, b3);
      }
      if (offsetof<Rows>() > 8) {
        const c = v128.load32_splat(x, 8);
        c0 = add(nibbles, form, c, p0, m0, ones, c0); c1 = add(nibbles, form, c, p1, m1, ones, c1); c2 = add(nibbles, form, c, p2, m2, ones, c2); c3 = add(nibbles, form, c, p3, m3, ones, c3);
      }
      if (offsetof<Rows>() > 12) {
        const d = v128.load32_splat(x, 12);
        d0 = add(nibbles, form, d, p0, m0, ones, d0); d1 = add(nibbles, form, d, p1, m1, ones, d1); d2 = add(nibbles, form, d, p2, m2, ones, d2); d3 = add(nibbles, form, d, p3, m3, ones, d3);
      }
      const v0 = nibbles ? i16x8.shr_u(w0, 4) : v128.load(w, 64), v1 = nibbles ? i16x8.shr_u(w1, 4) : v128.load(w, 80);
      const v2 = nibbles ? i16x8.shr_u(w2, 4) : v128.load(w, 96), v3 = nibbles ? i16x8.shr_u(w3, 4) : v128.load(w, 112);
      const q0 = weights(nibbles, form, v0, mask), q1 = weights(nibbles, form, v1, mask), q2 = weights(nibbles, form, v2, mask), q3 = weights(nibbles, form, v3, mask);
      const n0 = signs(v0, mask), n1 = signs(v1, mask), n2 = signs(v2, mask), n3 = signs(v3, mask);
      const e = v128.load32_splat(x, offsetof<Rows>());
      a0 = add(nibbles, form, e, q0, n0, ones, a0); a1 = add(nibbles, form, e, q1, n1, ones, a1); a2 = add(nibbles, form, e, q2, n2, ones, a2); a3 = add(nibbles, form, e, q3, n3, ones, a3);
      if (offsetof<Rows>() > 4) {
        const f = v128.load32_splat(x, offsetof<Rows>() + 4);
        b0 = add(nibbles, form, f, q0, n0, ones, b0); b1 = add(nibbles, form, f, q1, n1, ones, b1); b2 = add(nibbles, form, f, q2, n2, ones, b2); b3 = add(nibbles, form, f, q3, n3, ones, b3);
      }
      if (offsetof<Rows>() > 8) {
        const g = v128.load32_splat(x, offsetof<Rows>() + 8);
        c0 = add(nibbles, form, g, q0, n0, ones, c0); c1 = add(nibbles, form, g, q1, n1, ones, c1); c2 = add(nibbles, form, g, q2, n2, ones, c2); c3 = add(nibbles, form, g, q3, n3, ones, c3);
      }
      if (offsetof<Rows>() > 12) {
        const h = v128.load32_splat(x, offsetof<Rows>() + 12);
        d0 = add(nibbles, form, h, q0, n0, ones, d0); d1 = add(nibbles, form, h, q1, n1, ones, d1); d2 = add(nibbles, form, h, q2, n2, ones, d2); d3 = add(nibbles, form, h, q3, n3, ones, d3);
      }
      w += nibbles ? 4 * PANEL : 8 * PANEL;
      x += 2 * offsetof<Rows>();
    } while (x < end);
    // Not `load16x4_u`: V8 13.6 makes two of them one at the address of the second.
    const firsts = v128.load(w), lasts = v128.load(w, 16);
    const s0 = i32x4.shl(i32x4.extend_low_i16x8_u(firsts), 16), s1 = i32x4.shl(i32x4.extend_high_i16x8_u(firsts), 16);
    const s2 = i32x4.shl(i32x4.extend_low_i16x8_u(lasts), 16), s3 = i32x4.shl(i32x4.extend_high_i16x8_u(lasts), 16);
    if (nibbles && form == PAIRS) {
      const start0 = v128.load32_splat(scales, offsetof<Rows>()); a0 = i32x4.add(i32x4.dot_i16x8_s(a0, ones), start0); a1 = i32x4.add(i32x4.dot_i16x8_s(a1, ones), start0); a2 = i32x4.add(i32x4.dot_i16x8_s(a2, ones), start0); a3 = i32x4.add(i32x4.dot_i16x8_s(a3, ones), start0);
      if (offsetof<Rows>() > 4) { const start1 = v128.load32_splat(scales, offsetof<Rows>() + 4); b0 = i32x4.add(i32x4.dot_i16x8_s(b0, ones), start1); b1 = i32x4.add(i32x4.dot_i16x8_s(b1, ones), start1); b2 = i32x4.add(i32x4.dot_i16x8_s(b2, ones), start1); b3 = i32x4.add(i32x4.dot_i16x8_s(b3, ones), start1); }
      if (offsetof<Rows>() > 8) { const start2 = v128.load32_splat(scales, offsetof<Rows>() + 8); c0 = i32x4.add(i32x4.dot_i16x8_s(c0, ones), start2); c1 = i32x4.add(i32x4.dot_i16x8_s(c1, ones), start2); c2 = i32x4.add(i32x4.dot_i16x8_s(c2, ones), start2); c3 = i32x4.add(i32x4.dot_i16x8_s(c3, ones), start2); }
      if (offsetof<Rows>() > 12) { const start3 = v128.load32_splat(scales, offsetof<Rows>() + 12); d0 = i32x4.add(i32x4.dot_i16x8_s(d0, ones), start3); d1 = i32x4.add(i32x4.dot_i16x8_s(d1, ones), start3); d2 = i32x4.add(i32x4.dot_i16x8_s(d2, ones), start3); d3 = i32x4.add(i32x4.dot_i16x8_s(d3, ones), start3); }
    }
    if (offsetof<Rows>() == 4) {
      const s = v128.load32_splat(scales);
      t0 = scaled(a0, base, s, s0, t0); t1 = scaled(a1, base, s, s1, t1); t2 = scaled(a2, base, s, s2, t2); t3 = scaled(a3, base, s, s3, t3);
    } else {
      addRow(sums, v128.load32_splat(scales), a0, a1, a2, a3, s0, s1, s2, s3, base);
    }
    if (offsetof<Rows>() > 4) addRow(sums + 4 * PANEL, v128.load32_splat(scales, 4), b0, b1, b2, b3, s0, s1, s2, s3, base);
    if (offsetof<Rows>() > 8) addRow(sums + 8 * PANEL, v128.load32_splat(scales, 8), c0, c1, c2, c3, s0, s1, s2, s3, base);
    if (offsetof<Rows>() > 12) addRow(sums + 12 * PANEL, v128.load32_splat(scales, 12), d0, d1, d2, d3, s0, s1, s2, s3, base);
    w += 2 * PANEL;
    scales += 2 * offsetof<Rows>();
  }
  if (offsetof<Rows>() == 4) storeRow(sums, t0, t1, t2, t3);
}

/** What a block's sum begins with. */
// @ts-ignore: decorator
@inline
function start(nibbles: bool, form: i32, start: v128): v128 {
  return nibbles && form == PAIRS ? i32x4.splat(0) : start;
}

/** Codes as operands of the product. */
// @ts-ignore: decorator
@inline
function weights(nibbles: bool, form: i32, codes: v128, mask: v128): v128 {
  if (nibbles) return v128.and(codes, mask);
  if (form == UNSIGNED) return codes;
  return form == SIGNED ? v128.xor(codes, mask) : i8x16.abs(v128.xor(codes, mask));
}

/** All bits of a byte whose code is below 128. */
// @ts-ignore: decorator
@inline
function signs(codes: v128, mask: v128): v128 {
  return i8x16.gt_s(i8x16.splat(0), v128.xor(codes, mask));
}

/** acc + the products of four k's. */
// @ts-ignore: decorator
@inline
function add(nibbles: bool, form: i32, x: v128, weights: v128, signs: v128, ones: v128, acc: v128): v128 {
  if (form != PAIRS) return dot(x, weights, acc);
  if (nibbles) return i16x8.add(acc, dotPairs(x, weights));
  return i32x4.add(acc, i32x4.dot_i16x8_s(dotPairs(i8x16.sub(v128.xor(x, signs), signs), weights), ones));
}

/** sum + the number whose bits are base + products, times both scales. */
// @ts-ignore: decorator
@inline
function scaled(products: v128, base: v128, sx: v128, sw: v128, sum: v128): v128 {
  return f32x4.relaxed_madd(f32x4.sub(products, base), f32x4.mul(sx, sw), sum);
}

/** Adds a block of one row to its sums. */
// @ts-ignore: decorator
@inline
function addRow(sums: usize, s: v128, d0: v128, d1: v128, d2: v128, d3: v128, s0: v128, s1: v128, s2: v128, s3: v128, base: v128): void {
  const t0 = v128.load(sums), t1 = v128.load(sums, 16), t2 = v128.load(sums, 32), t3 = v128.load(sums, 48);
  storeRow(sums, scaled(d0, base, s, s0, t0), scaled(d1, base, s, s1, t1), scaled(d2, base, s, s2, t2), scaled(d3, base, s, s3, t3));
}

// @ts-ignore: decorator
@inline
function storeRow(to: usize, r0: v128, r1: v128, r2: v128, r3: v128): void {
  v128.store(to, r0);
  v128.store(to, r1, 16);
  v128.store(to, r2, 32);
  v128.store(to, r3, 48);
}

// @ts-ignore: decorator
@inline
function clear(sums: usize, rows: i32): void {
  const zero = f32x4.splat(0);
  for (let i = 0; i < 4 * PANEL * rows; i += 16) v128.store(sums + i, zero);
}
