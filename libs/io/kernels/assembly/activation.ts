import { ONE, exp } from './math';

/** silu(gate) * up, one vector; silu(x) = x / (1 + exp(-x)). */
// @ts-ignore: decorator
@inline
function gated(gate: v128, up: v128): v128 {
  return f32x4.mul(f32x4.div(gate, f32x4.add(exp(f32x4.neg(gate)), v128.load32_splat(ONE))), up);
}

/** out = silu(gate) * up, each [rows, width]; strides in floats. A value's bits don't depend on which columns a call computes. */
export function swiglu(gate: usize, up: usize, out: usize, rows: i32, width: i32, gateStride: i32, upStride: i32, outStride: i32): void {
  for (let row = 0; row < rows; row++) {
    const g = gate + (usize(row * gateStride) << 2), u = up + (usize(row * upStride) << 2), o = out + (usize(row * outStride) << 2);
    swigluRow(g, u, o, usize(width) << 2);
  }
}

function swigluRow(gate: usize, up: usize, out: usize, bytes: usize): void {
  let i: usize = 0;
  for (; i + 32 <= bytes; i += 32) {
    const low = gated(v128.load(gate + i), v128.load(up + i)), high = gated(v128.load(gate + i, 16), v128.load(up + i, 16));
    v128.store(out + i, low);
    v128.store(out + i, high, 16);
  }
  for (; i < bytes; i += 4) v128.store_lane<f32>(out + i, gated(v128.load_zero<f32>(gate + i), v128.load_zero<f32>(up + i)), 0);
}

/** out = a + b, `count` floats. */
export function add(a: usize, b: usize, out: usize, count: i32): void {
  const bytes = usize(count) << 2;
  let i: usize = 0;
  for (; i + 32 <= bytes; i += 32) {
    const low = f32x4.add(v128.load(a + i), v128.load(b + i)), high = f32x4.add(v128.load(a + i, 16), v128.load(b + i, 16));
    v128.store(out + i, low);
    v128.store(out + i, high, 16);
  }
  for (; i < bytes; i += 4) store<f32>(out + i, load<f32>(a + i) + load<f32>(b + i));
}

/** out += scale * x, `count` floats; product and sum are rounded once where the processor can, in every element alike. */
export function addScaled(out: usize, x: usize, scale: f32, count: i32): void {
  const bytes = usize(count) << 2, factor = f32x4.splat(scale);
  let i: usize = 0;
  for (; i + 32 <= bytes; i += 32) {
    const low = f32x4.relaxed_madd(v128.load(x + i), factor, v128.load(out + i));
    const high = f32x4.relaxed_madd(v128.load(x + i, 16), factor, v128.load(out + i, 16));
    v128.store(out + i, low);
    v128.store(out + i, high, 16);
  }
  for (; i < bytes; i += 4) v128.store_lane<f32>(out + i, f32x4.relaxed_madd(v128.load_zero<f32>(x + i), factor, v128.load_zero<f32>(out + i)), 0);
}
