import { laneSum } from './math';

/** out = x / sqrt(mean(x^2) + epsilon) * weight for each of `rows` rows of `width` floats; strides in floats. `out` may be `x`. */
export function rmsNorm(x: usize, weight: usize, epsilon: f32, out: usize, rows: i32, width: i32, xStride: i32, outStride: i32): void {
  const bytes = usize(width) << 2;
  for (let row = 0; row < rows; row++) {
    const scale = f32(1) / Mathf.sqrt(sumOfSquares(x, bytes) / f32(width) + epsilon);
    scaleRow(x, weight, scale, out, bytes);
    x += usize(xStride) << 2;
    out += usize(outStride) << 2;
  }
}

/** Sixteen sums side by side, then in pairs: the same order for the same width, and more exact than one after another. */
function sumOfSquares(x: usize, bytes: usize): f32 {
  let a = f32x4.splat(0), b = f32x4.splat(0), c = f32x4.splat(0), d = f32x4.splat(0);
  let i: usize = 0;
  for (; i + 64 <= bytes; i += 64) {
    const p = v128.load(x + i), q = v128.load(x + i, 16), r = v128.load(x + i, 32), s = v128.load(x + i, 48);
    a = f32x4.relaxed_madd(p, p, a);
    b = f32x4.relaxed_madd(q, q, b);
    c = f32x4.relaxed_madd(r, r, c);
    d = f32x4.relaxed_madd(s, s, d);
  }
  let sum = laneSum(f32x4.add(f32x4.add(a, c), f32x4.add(b, d)));
  for (; i < bytes; i += 4) sum += load<f32>(x + i) * load<f32>(x + i);
  return sum;
}

function scaleRow(x: usize, weight: usize, scale: f32, out: usize, bytes: usize): void {
  const factor = f32x4.splat(scale);
  let i: usize = 0;
  for (; i + 32 <= bytes; i += 32) {
    const low = f32x4.mul(f32x4.mul(v128.load(x + i), factor), v128.load(weight + i));
    const high = f32x4.mul(f32x4.mul(v128.load(x + i, 16), factor), v128.load(weight + i, 16));
    v128.store(out + i, low);
    v128.store(out + i, high, 16);
  }
  for (; i < bytes; i += 4) store<f32>(out + i, load<f32>(x + i) * scale * load<f32>(weight + i));
}
