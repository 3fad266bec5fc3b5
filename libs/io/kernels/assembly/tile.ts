/**
 * A tile: up to four rows against one panel of 16 columns, over all k. The order of operations of one result is the same in every form:
 * per block, ascending, acc = fma(float(sum of the block's products), scale of x * scale of w, acc). So a row's result does not depend
 * on the rows beside it.
 */
import { INTEGER_BASE } from './constants';
import { dot } from './dot';
import { arrangedBytes } from './rows';
import { BLOCK, PANEL, TILE } from './layout';

/** Bytes of the sums of one tile. */
export const SUMS_BYTES: i32 = 4 * PANEL * TILE;

/** Bytes of a block of a panel of byte codes: for every four k's [16 columns][4 bytes], each `repeat` times, then 16 bf16 scales. */
// @ts-ignore: decorator
@inline
export function byteBlock(repeat: i32): i32 {
  return PANEL * BLOCK * repeat + 2 * PANEL;
}

/**
 * All rows against one panel of byte codes. x: arranged rows. out: the place of the panel's first column in the first row.
 * sums: `SUMS_BYTES` of scratch.
 */
export function tiles(w: usize, x: usize, rows: i32, blocks: i32, repeat: i32, out: usize, outStride: i32, sums: usize): void {
  for (let row = 0; row < rows; row += TILE) {
    const count = min(TILE, rows - row);
    memory.fill(sums, 0, 4 * PANEL * count);
    const scales = x + BLOCK * blocks * repeat * count;
    if (count == 4) tile4(w, x, scales, blocks, 8 * repeat, sums);
    else if (count == 3) tile3(w, x, scales, blocks, 8 * repeat, sums);
    else if (count == 2) tile2(w, x, scales, blocks, 8 * repeat, sums);
    else tile1(w, x, scales, blocks, 8 * repeat, sums);
    x += arrangedBytes(blocks, repeat) * count;
    for (let i = 0; i < count; i++) {
      memory.copy(out, sums + 4 * PANEL * i, 4 * PANEL);
      out += 4 * outStride;
    }
  }
}

function tile1(w: usize, x: usize, scales: usize, blocks: i32, groups: i32, sums: usize): void {
  tile(1, w, x, scales, blocks, groups, sums);
}

function tile2(w: usize, x: usize, scales: usize, blocks: i32, groups: i32, sums: usize): void {
  tile(2, w, x, scales, blocks, groups, sums);
}

function tile3(w: usize, x: usize, scales: usize, blocks: i32, groups: i32, sums: usize): void {
  tile(3, w, x, scales, blocks, groups, sums);
}

function tile4(w: usize, x: usize, scales: usize, blocks: i32, groups: i32, sums: usize): void {
  tile(4, w, x, scales, blocks, groups, sums);
}

// @ts-ignore: decorator
@inline
function tile(rows: i32, w: usize, x: usize, scales: usize, blocks: i32, groups: i32, sums: usize): void {
  const base = v128.load32_splat(INTEGER_BASE);
  for (let block = 0; block < blocks; block++) {
    let a0 = v128.load32_splat(scales + 4 * rows), a1 = a0, a2 = a0, a3 = a0;
    let b0 = a0, b1 = a0, b2 = a0, b3 = a0, c0 = a0, c1 = a0, c2 = a0, c3 = a0, d0 = a0, d1 = a0, d2 = a0, d3 = a0;
    if (rows > 1) { b0 = v128.load32_splat(scales + 4 * rows, 4); b1 = b0; b2 = b0; b3 = b0; }
    if (rows > 2) { c0 = v128.load32_splat(scales + 4 * rows, 8); c1 = c0; c2 = c0; c3 = c0; }
    if (rows > 3) { d0 = v128.load32_splat(scales + 4 * rows, 12); d1 = d0; d2 = d0; d3 = d0; }
    for (let group = 0; group < groups; group++) {
      const w0 = v128.load(w), w1 = v128.load(w, 16), w2 = v128.load(w, 32), w3 = v128.load(w, 48);
      const a = v128.load32_splat(x);
      a0 = dot(a, w0, a0); a1 = dot(a, w1, a1); a2 = dot(a, w2, a2); a3 = dot(a, w3, a3);
      if (rows > 1) {
        const b = v128.load32_splat(x, 4);
        b0 = dot(b, w0, b0); b1 = dot(b, w1, b1); b2 = dot(b, w2, b2); b3 = dot(b, w3, b3);
      }
      if (rows > 2) {
        const c = v128.load32_splat(x, 8);
        c0 = dot(c, w0, c0); c1 = dot(c, w1, c1); c2 = dot(c, w2, c2); c3 = dot(c, w3, c3);
      }
      if (rows > 3) {
        const d = v128.load32_splat(x, 12);
        d0 = dot(d, w0, d0); d1 = dot(d, w1, d1); d2 = dot(d, w2, d2); d3 = dot(d, w3, d3);
      }
      w += 4 * PANEL;
      x += 4 * rows;
    }
    const s0 = scalesAt(w, 0), s1 = scalesAt(w, 8), s2 = scalesAt(w, 16), s3 = scalesAt(w, 24);
    addRow(sums, scales, a0, a1, a2, a3, s0, s1, s2, s3, base);
    if (rows > 1) addRow(sums + 4 * PANEL, scales + 4, b0, b1, b2, b3, s0, s1, s2, s3, base);
    if (rows > 2) addRow(sums + 8 * PANEL, scales + 8, c0, c1, c2, c3, s0, s1, s2, s3, base);
    if (rows > 3) addRow(sums + 12 * PANEL, scales + 12, d0, d1, d2, d3, s0, s1, s2, s3, base);
    w += 2 * PANEL;
    scales += 8 * rows;
  }
}

/** Four bf16 scales as float32. */
// @ts-ignore: decorator
@inline
function scalesAt(w: usize, offset: usize): v128 {
  return i32x4.shl(v128.load16x4_u(w + offset), 16);
}

// @ts-ignore: decorator
@inline
function addRow(sums: usize, scale: usize, d0: v128, d1: v128, d2: v128, d3: v128, s0: v128, s1: v128, s2: v128, s3: v128, base: v128): void {
  const s = v128.load32_splat(scale);
  const t0 = v128.load(sums), t1 = v128.load(sums, 16), t2 = v128.load(sums, 32), t3 = v128.load(sums, 48);
  const r0 = f32x4.relaxed_madd(f32x4.sub(d0, base), f32x4.mul(s, s0), t0);
  const r1 = f32x4.relaxed_madd(f32x4.sub(d1, base), f32x4.mul(s, s1), t1);
  const r2 = f32x4.relaxed_madd(f32x4.sub(d2, base), f32x4.mul(s, s2), t2);
  const r3 = f32x4.relaxed_madd(f32x4.sub(d3, base), f32x4.mul(s, s3), t3);
  v128.store(sums, r0);
  v128.store(sums, r1, 16);
  v128.store(sums, r2, 32);
  v128.store(sums, r3, 48);
}
