import { PANEL } from './layout';

/** x W^T for float32 weights: fma over ascending k. x: f32 [rows, k], `xStride` floats apart; the other arguments as in `linear4`. */
export function linear32(w: usize, x: usize, rows: i32, k: i32, xStride: i32, firstPanel: i32, endPanel: i32, out: usize, outStride: i32, scratch: usize): void {
  for (let p = firstPanel; p < endPanel; p++) {
    for (let row = 0; row < rows; row++) {
      let at = w + 4 * PANEL * k * p, from = x + 4 * xStride * row;
      let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
      for (let i = 0; i < k; i++) {
        const a = v128.load32_splat(from);
        s0 = f32x4.relaxed_madd(a, v128.load(at), s0);
        s1 = f32x4.relaxed_madd(a, v128.load(at, 16), s1);
        s2 = f32x4.relaxed_madd(a, v128.load(at, 32), s2);
        s3 = f32x4.relaxed_madd(a, v128.load(at, 48), s3);
        from += 4;
        at += 4 * PANEL;
      }
      const to = out + 4 * (row * outStride + p * PANEL);
      v128.store(to, s0);
      v128.store(to, s1, 16);
      v128.store(to, s2, 32);
      v128.store(to, s3, 48);
    }
  }
}
