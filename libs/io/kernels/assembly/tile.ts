/**
 * A tile: up to four rows against one panel of 16 columns, over all k. The order of operations of one result is the same in every form:
 * per block, ascending, acc = fma(float(sum of the block's products), scale of x * scale of w, acc). So a row's result does not depend
 * on the rows beside it.
 *
 * Loops are small and vectors come in fours, because V8 makes pairs of neighbours one of 256 bits where a pair of stores ends them.
 */
import { INTEGER_BASE, LOW_NIBBLES } from './constants';
import { dot } from './dot';
import { BLOCK, PANEL, TILE } from './layout';
import { arrangedBytes } from './rows';

/** Bytes of the sums of one tile. */
export const SUMS_BYTES: i32 = 4 * PANEL * TILE;

/** Bytes of a block of a panel of byte codes: for every four k's [16 columns][4 bytes], each `repeat` times, then 16 bf16 scales. */
// @ts-ignore: decorator
@inline
export function byteBlock(repeat: i32): i32 {
  return PANEL * BLOCK * repeat + 2 * PANEL;
}

/**
 * All rows against one panel. x: arranged quantised rows. out: the place of the panel's first column in the first row.
 * sums: `SUMS_BYTES` of scratch. nibbles: each byte of the panel has two codes; repeat is 1.
 */
// @ts-ignore: decorator
@inline
export function tiles(nibbles: bool, w: usize, x: usize, rows: i32, blocks: i32, repeat: i32, out: usize, outStride: i32, sums: usize): void {
  const codes = BLOCK * repeat;
  for (; rows >= TILE; rows -= TILE) {
    tile<Four>(nibbles, w, x, codes, blocks, sums);
    x += TILE * arrangedBytes(blocks, repeat);
    for (let i = 0; i < TILE; i++) {
      copyRow(sums + 4 * PANEL * i, out);
      out += 4 * outStride;
    }
  }
  if (rows == 3) tile<Three>(nibbles, w, x, codes, blocks, sums);
  else if (rows == 2) tile<Two>(nibbles, w, x, codes, blocks, sums);
  else if (rows == 1) tile<One>(nibbles, w, x, codes, blocks, sums);
  for (let i = 0; i < rows; i++) {
    copyRow(sums + 4 * PANEL * i, out);
    out += 4 * outStride;
  }
}

// A word of each row of a group. The size and the places of its words are constants that addresses can have.
@unmanaged class One { a: u32; }
@unmanaged class Two { a: u32; b: u32; }
@unmanaged class Three { a: u32; b: u32; c: u32; }
@unmanaged class Four { a: u32; b: u32; c: u32; d: u32; }

/** One group of rows. codes: bytes of a block of an arranged row. */
// @ts-ignore: decorator
@inline
function tile<Rows>(nibbles: bool, w: usize, x: usize, codes: i32, blocks: i32, sums: usize): void {
  const base = v128.load32_splat(INTEGER_BASE), low = v128.load32_splat(LOW_NIBBLES);
  let scales = x + (codes * blocks * offsetof<Rows>()) / 4;
  // The sums of one row stay in registers; those of several would take too many.
  let t0 = f32x4.splat(0), t1 = t0, t2 = t0, t3 = t0;
  if (offsetof<Rows>() > 4) clear(sums, offsetof<Rows>() / 4);
  for (let block = 0; block < blocks; block++) {
    let a0 = v128.load32_splat(scales, offsetof<Rows>()), a1 = a0, a2 = a0, a3 = a0;
    let b0 = a0, b1 = a0, b2 = a0, b3 = a0, c0 = a0, c1 = a0, c2 = a0, c3 = a0, d0 = a0, d1 = a0, d2 = a0, d3 = a0;
    if (offsetof<Rows>() > 4) { b0 = v128.load32_splat(scales, offsetof<Rows>() + 4); b1 = b0; b2 = b0; b3 = b0; }
    if (offsetof<Rows>() > 8) { c0 = v128.load32_splat(scales, offsetof<Rows>() + 8); c1 = c0; c2 = c0; c3 = c0; }
    if (offsetof<Rows>() > 12) { d0 = v128.load32_splat(scales, offsetof<Rows>() + 12); d1 = d0; d2 = d0; d3 = d0; }
    const end = x + (codes * offsetof<Rows>()) / 4;
    do {
      const w0 = v128.load(w), w1 = v128.load(w, 16), w2 = v128.load(w, 32), w3 = v128.load(w, 48);
      const p0 = nibbles ? v128.and(w0, low) : w0, p1 = nibbles ? v128.and(w1, low) : w1, p2 = nibbles ? v128.and(w2, low) : w2, p3 = nibbles ? v128.and(w3, low) : w3;
      const a = v128.load32_splat(x);
      a0 = dot(a, p0, a0); a1 = dot(a, p1, a1); a2 = dot(a, p2, a2); a3 = dot(a, p3, a3);
      if (offsetof<Rows>() > 4) {
        const b = v128.load32_splat(x, 4);
        b0 = dot(b, p0, b0); b1 = dot(b, p1, b1); b2 = dot(b, p2, b2); b3 = dot(b, p3, b3);
      }
      if (offsetof<Rows>() > 8) {
        const c = v128.load32_splat(x, 8);
        c0 = dot(c, p0, c0); c1 = dot(c, p1, c1); c2 = dot(c, p2, c2); c3 = dot(c, p3, c3);
      }
      if (offsetof<Rows>() > 12) {
        const d = v128.load32_splat(x, 12);
        d0 = dot(d, p0, d0); d1 = dot(d, p1, d1); d2 = dot(d, p2, d2); d3 = dot(d, p3, d3);
      }
      const q0 = nibbles ? high(w0, low) : v128.load(w, 64), q1 = nibbles ? high(w1, low) : v128.load(w, 80), q2 = nibbles ? high(w2, low) : v128.load(w, 96), q3 = nibbles ? high(w3, low) : v128.load(w, 112);
      const e = v128.load32_splat(x, offsetof<Rows>());
      a0 = dot(e, q0, a0); a1 = dot(e, q1, a1); a2 = dot(e, q2, a2); a3 = dot(e, q3, a3);
      if (offsetof<Rows>() > 4) {
        const f = v128.load32_splat(x, offsetof<Rows>() + 4);
        b0 = dot(f, q0, b0); b1 = dot(f, q1, b1); b2 = dot(f, q2, b2); b3 = dot(f, q3, b3);
      }
      if (offsetof<Rows>() > 8) {
        const g = v128.load32_splat(x, offsetof<Rows>() + 8);
        c0 = dot(g, q0, c0); c1 = dot(g, q1, c1); c2 = dot(g, q2, c2); c3 = dot(g, q3, c3);
      }
      if (offsetof<Rows>() > 12) {
        const h = v128.load32_splat(x, offsetof<Rows>() + 12);
        d0 = dot(h, q0, d0); d1 = dot(h, q1, d1); d2 = dot(h, q2, d2); d3 = dot(h, q3, d3);
      }
      w += nibbles ? 4 * PANEL : 8 * PANEL;
      x += 2 * offsetof<Rows>();
    } while (x < end);
    // Not `load16x4_u`: V8 13.6 makes two of them one at the address of the second.
    const firsts = v128.load(w), lasts = v128.load(w, 16);
    const s0 = i32x4.shl(i32x4.extend_low_i16x8_u(firsts), 16), s1 = i32x4.shl(i32x4.extend_high_i16x8_u(firsts), 16);
    const s2 = i32x4.shl(i32x4.extend_low_i16x8_u(lasts), 16), s3 = i32x4.shl(i32x4.extend_high_i16x8_u(lasts), 16);
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

/** The high nibble of each byte. */
// @ts-ignore: decorator
@inline
function high(w: v128, low: v128): v128 {
  return v128.and(i16x8.shr_u(w, 4), low);
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

// @ts-ignore: decorator
@inline
function copyRow(from: usize, to: usize): void {
  for (let i = 0; i < 4 * PANEL; i += 16) v128.store(to + i, v128.load(from + i));
}
