import { CHUNK, PANEL, TILE } from './layout';
import { arrangeWords } from './rows';

/**
 * x W^T for float32 weights: fma over ascending k, whatever the rows and columns of a call. x: f32 [rows, k], `xStride` floats apart;
 * the other arguments as in `linear4`.
 */
export function linear32(w: usize, x: usize, rows: i32, k: i32, xStride: i32, firstPanel: i32, endPanel: i32, out: usize, outStride: i32, scratch: usize): void {
  for (let row = 0; row < rows; row += CHUNK) {
    const count = min(CHUNK, rows - row);
    const from = x + 4 * row * xStride;
    for (let i = 0; i < count; i += TILE) arrangeWords(from + 4 * i * xStride, 4 * xStride, min(TILE, count - i), k, scratch + 4 * i * k);
    for (let p = firstPanel; p < endPanel; p++) tiles(w + 4 * PANEL * k * p, scratch, count, k, out + 4 * (row * outStride + p * PANEL), outStride);
  }
}

function tiles(w: usize, x: usize, rows: i32, k: i32, out: usize, outStride: i32): void {
  for (; rows >= TILE; rows -= TILE) {
    tile<Four>(w, x, k, out, outStride);
    x += 4 * TILE * k;
    out += 4 * TILE * outStride;
  }
  if (rows == 3) tile<Three>(w, x, k, out, outStride);
  else if (rows == 2) tile<Two>(w, x, k, out, outStride);
  else if (rows == 1) tile<One>(w, x, k, out, outStride);
}

@unmanaged class One { a: f32; }
@unmanaged class Two { a: f32; b: f32; }
@unmanaged class Three { a: f32; b: f32; c: f32; }
@unmanaged class Four { a: f32; b: f32; c: f32; d: f32; }

/** One group of arranged rows against one panel. */
// @ts-ignore: decorator
@inline
function tile<Rows>(w: usize, x: usize, k: i32, out: usize, outStride: i32): void {
  let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0;
  let b0 = a0, b1 = a0, b2 = a0, b3 = a0, c0 = a0, c1 = a0, c2 = a0, c3 = a0, d0 = a0, d1 = a0, d2 = a0, d3 = a0;
  for (let i = 0; i < k; i++) {
    const w0 = v128.load(w), w1 = v128.load(w, 16), w2 = v128.load(w, 32), w3 = v128.load(w, 48);
    const a = v128.load32_splat(x);
    a0 = f32x4.relaxed_madd(a, w0, a0); a1 = f32x4.relaxed_madd(a, w1, a1); a2 = f32x4.relaxed_madd(a, w2, a2); a3 = f32x4.relaxed_madd(a, w3, a3);
    if (offsetof<Rows>() > 4) {
      const b = v128.load32_splat(x, 4);
      b0 = f32x4.relaxed_madd(b, w0, b0); b1 = f32x4.relaxed_madd(b, w1, b1); b2 = f32x4.relaxed_madd(b, w2, b2); b3 = f32x4.relaxed_madd(b, w3, b3);
    }
    if (offsetof<Rows>() > 8) {
      const c = v128.load32_splat(x, 8);
      c0 = f32x4.relaxed_madd(c, w0, c0); c1 = f32x4.relaxed_madd(c, w1, c1); c2 = f32x4.relaxed_madd(c, w2, c2); c3 = f32x4.relaxed_madd(c, w3, c3);
    }
    if (offsetof<Rows>() > 12) {
      const d = v128.load32_splat(x, 12);
      d0 = f32x4.relaxed_madd(d, w0, d0); d1 = f32x4.relaxed_madd(d, w1, d1); d2 = f32x4.relaxed_madd(d, w2, d2); d3 = f32x4.relaxed_madd(d, w3, d3);
    }
    w += 4 * PANEL;
    x += offsetof<Rows>();
  }
  storeRow(out, a0, a1, a2, a3);
  if (offsetof<Rows>() > 4) storeRow(out + 4 * outStride, b0, b1, b2, b3);
  if (offsetof<Rows>() > 8) storeRow(out + 8 * outStride, c0, c1, c2, c3);
  if (offsetof<Rows>() > 12) storeRow(out + 12 * outStride, d0, d1, d2, d3);
}

// @ts-ignore: decorator
@inline
function storeRow(out: usize, r0: v128, r1: v128, r2: v128, r3: v128): void {
  v128.store(out, r0);
  v128.store(out, r1, 16);
  v128.store(out, r2, 32);
  v128.store(out, r3, 48);
}
