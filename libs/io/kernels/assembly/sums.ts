/** The results of a tile or a strip while they grow, each time by what a block adds to them. */
import { PANEL, TILE } from './layout';

/** The most panels that are taken at once. */
export const MOST_PANELS: i32 = 4;

/** Bytes of the sums: for each panel and row 16 floats. */
export const SUMS_BYTES: i32 = 4 * PANEL * TILE * MOST_PANELS;

/** Makes `count` times 16 sums zero. */
// @ts-ignore: decorator
@inline
export function clear(sums: usize, count: i32): void {
  const zero = f32x4.splat(0);
  for (let i = 0; i < 4 * PANEL * count; i += 16) v128.store(sums + i, zero);
}

/** Adds products of one row, which are above base, times its scale and those of the columns, s0 to s3. */
// @ts-ignore: decorator
@inline
export function addRow(sums: usize, scale: v128, p0: v128, p1: v128, p2: v128, p3: v128, s0: v128, s1: v128, s2: v128, s3: v128, base: v128): void {
  const t0 = v128.load(sums), t1 = v128.load(sums, 16), t2 = v128.load(sums, 32), t3 = v128.load(sums, 48);
  const r0 = f32x4.relaxed_madd(f32x4.sub(p0, base), f32x4.mul(scale, s0), t0), r1 = f32x4.relaxed_madd(f32x4.sub(p1, base), f32x4.mul(scale, s1), t1);
  const r2 = f32x4.relaxed_madd(f32x4.sub(p2, base), f32x4.mul(scale, s2), t2), r3 = f32x4.relaxed_madd(f32x4.sub(p3, base), f32x4.mul(scale, s3), t3);
  v128.store(sums, r0);
  v128.store(sums, r1, 16);
  v128.store(sums, r2, 32);
  v128.store(sums, r3, 48);
}

/** Copies the results of `rows` rows to their places; out: that of the first panel in the first row. */
export function place(sums: usize, panels: i32, rows: i32, out: usize, outStride: i32): void {
  for (let panel = 0; panel < panels; panel++) {
    for (let row = 0; row < rows; row++) {
      const to = out + 4 * (row * outStride + panel * PANEL);
      for (let i = 0; i < 4 * PANEL; i += 16) v128.store(to + i, v128.load(sums + i));
      sums += 4 * PANEL;
    }
  }
}
