import { EVEN_SIGNS } from './math';

/**
 * Rotary positions in place, for x [rows, heads, headSize] with `stride` floats from row to row and `headStride` from head to head.
 * Of each head the `rotary` floats from `rotaryOffset` on turn by the angles of the row: cos and sin are [rows, rotary / 2].
 * `scale` is the address of one float per row that the whole head is multiplied by first, or 0.
 * Here value i turns with value i + rotary / 2, as in Hugging Face's layout.
 */
export function rotateHalves(x: usize, heads: i32, headSize: i32, rotary: i32, rotaryOffset: i32, rows: i32, stride: i32, headStride: i32, cos: usize, sin: usize, scale: usize): void {
  const half = usize(rotary >> 1) << 2, offset = usize(rotaryOffset) << 2;
  for (let row = 0; row < rows; row++) {
    let head = x + (usize(row * stride) << 2);
    for (let h = 0; h < heads; h++, head += usize(headStride) << 2) {
      if (scale) multiply(head, headSize, load<f32>(scale + (usize(row) << 2)));
      turnHalves(head + offset, half, cos + usize(row) * half, sin + usize(row) * half);
    }
  }
}

/** As `rotateHalves`, where value 2i turns with value 2i + 1, as in Mistral's layout. */
export function rotatePairs(x: usize, heads: i32, headSize: i32, rotary: i32, rotaryOffset: i32, rows: i32, stride: i32, headStride: i32, cos: usize, sin: usize, scale: usize): void {
  const half = usize(rotary >> 1) << 2, offset = usize(rotaryOffset) << 2;
  for (let row = 0; row < rows; row++) {
    let head = x + (usize(row * stride) << 2);
    for (let h = 0; h < heads; h++, head += usize(headStride) << 2) {
      if (scale) multiply(head, headSize, load<f32>(scale + (usize(row) << 2)));
      turnPairs(head + offset, half, cos + usize(row) * half, sin + usize(row) * half);
    }
  }
}

function multiply(x: usize, count: i32, scale: f32): void {
  const bytes = usize(count) << 2, factor = f32x4.splat(scale);
  let i: usize = 0;
  for (; i + 16 <= bytes; i += 16) v128.store(x + i, f32x4.mul(v128.load(x + i), factor));
  for (; i < bytes; i += 4) store<f32>(x + i, load<f32>(x + i) * scale);
}

function turnHalves(x: usize, half: usize, cos: usize, sin: usize): void {
  const y = x + half;
  let i: usize = 0;
  for (; i + 16 <= half; i += 16) {
    const a = v128.load(x + i), b = v128.load(y + i), c = v128.load(cos + i), s = v128.load(sin + i);
    v128.store(x + i, f32x4.sub(f32x4.mul(a, c), f32x4.mul(b, s)));
    v128.store(y + i, f32x4.add(f32x4.mul(b, c), f32x4.mul(a, s)));
  }
  for (; i < half; i += 4) {
    const a = load<f32>(x + i), b = load<f32>(y + i), c = load<f32>(cos + i), s = load<f32>(sin + i);
    store<f32>(x + i, a * c - b * s);
    store<f32>(y + i, b * c + a * s);
  }
}

function turnPairs(x: usize, half: usize, cos: usize, sin: usize): void {
  const signs = v128.load(EVEN_SIGNS);
  let i: usize = 0;
  for (; i + 8 <= half; i += 8) {
    const ab = v128.load(x + 2 * i), c = v128.load_zero<i64>(cos + i), s = v128.load_zero<i64>(sin + i);
    const cc = v128.shuffle<f32>(c, c, 0, 0, 1, 1), ss = v128.xor(v128.shuffle<f32>(s, s, 0, 0, 1, 1), signs);
    v128.store(x + 2 * i, f32x4.add(f32x4.mul(ab, cc), f32x4.mul(v128.shuffle<f32>(ab, ab, 1, 0, 3, 2), ss)));
  }
  for (; i < half; i += 4) {
    const a = load<f32>(x + 2 * i), b = load<f32>(x + 2 * i, 4), c = load<f32>(cos + i), s = load<f32>(sin + i);
    store<f32>(x + 2 * i, a * c - b * s);
    store<f32>(x + 2 * i, b * c + a * s, 4);
  }
}
