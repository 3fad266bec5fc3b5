import { INTEGER_BASE, MAGNITUDE } from './constants';
import { BLOCK, blocksOf, quantisedStride } from './layout';

const INFINITY_BITS: i32 = 0x7f800000;
const NAN_BITS: i32 = 0x7fc00000;
/** The smallest normal float. */
const NORMAL_BITS: i32 = 0x00800000;

/**
 * Rows of x as int8 codes with a scale per block: scale = max |x| / 127, code = nearest integer of x * (1 / scale), ties to even.
 * A block whose scale would not be a normal number counts as zeros; a block with a NaN or an infinity has scale NaN.
 * x: f32 [rows, k], `xStride` floats apart. out: `quantisedStride(k)` bytes a row.
 */
export function quantise(x: usize, rows: i32, k: i32, xStride: i32, out: usize): void {
  quantiseColumns(x, rows, k, xStride, out, 0, blocksOf(k));
}

/** The blocks `firstBlock` to `endBlock - 1` of each row, so that threads can share rows. */
export function quantiseColumns(x: usize, rows: i32, k: i32, xStride: i32, out: usize, firstBlock: i32, endBlock: i32): void {
  const scales = blocksOf(k) * BLOCK;
  for (let row = 0; row < rows; row++) {
    for (let block = firstBlock; block < endBlock; block++) {
      const from = x + 4 * BLOCK * block, codes = out + BLOCK * block, scale = out + scales + 8 * block;
      const inside = k - BLOCK * block;
      if (inside >= BLOCK) quantiseBlock(from, codes, scale);
      else quantisePart(from, inside, codes, scale);
    }
    x += 4 * xStride;
    out += quantisedStride(k);
  }
}

function quantiseBlock(x: usize, codes: usize, to: usize): void {
  const x0 = v128.load(x), x1 = v128.load(x, 16), x2 = v128.load(x, 32), x3 = v128.load(x, 48);
  const x4 = v128.load(x, 64), x5 = v128.load(x, 80), x6 = v128.load(x, 96), x7 = v128.load(x, 112);
  const magnitude = v128.load32_splat(MAGNITUDE);
  let largest = larger(
    larger(larger(v128.and(x0, magnitude), v128.and(x1, magnitude)), larger(v128.and(x2, magnitude), v128.and(x3, magnitude))),
    larger(larger(v128.and(x4, magnitude), v128.and(x5, magnitude)), larger(v128.and(x6, magnitude), v128.and(x7, magnitude))),
  );
  largest = larger(largest, v128.shuffle<i32>(largest, largest, 2, 3, 0, 1));
  largest = larger(largest, v128.shuffle<i32>(largest, largest, 1, 0, 3, 2));
  const scale = scaleOf(i32x4.extract_lane(largest, 0));
  store<f32>(to, scale);
  if (!(scale > 0)) {
    memory.fill(codes, 0, BLOCK);
    store<i32>(to, 0, 4);
    return;
  }
  const inverse = f32x4.splat(1 / scale);
  const c0 = i16x8.narrow_i32x4_s(codesOf(x0, inverse), codesOf(x1, inverse)), c1 = i16x8.narrow_i32x4_s(codesOf(x2, inverse), codesOf(x3, inverse));
  const c2 = i16x8.narrow_i32x4_s(codesOf(x4, inverse), codesOf(x5, inverse)), c3 = i16x8.narrow_i32x4_s(codesOf(x6, inverse), codesOf(x7, inverse));
  v128.store(codes, i8x16.narrow_i16x8_s(c0, c1));
  v128.store(codes, i8x16.narrow_i16x8_s(c2, c3), 16);
  let sum = i32x4.extadd_pairwise_i16x8_s(i16x8.add(i16x8.add(c0, c1), i16x8.add(c2, c3)));
  sum = i32x4.add(sum, v128.shuffle<i32>(sum, sum, 2, 3, 0, 1));
  store<i32>(to, i32x4.extract_lane(sum, 0) + i32x4.extract_lane(sum, 1), 4);
}

/** Bits of magnitudes are in the order of the magnitudes, with infinity and NaN above all numbers. */
// @ts-ignore: decorator
@inline
function larger(a: v128, b: v128): v128 {
  return i32x4.max_s(a, b);
}

/** Nearest integers: what is added to `INTEGER_BASE` is rounded to one, found in the bits of the sum. */
// @ts-ignore: decorator
@inline
function codesOf(x: v128, inverse: v128): v128 {
  const base = v128.load32_splat(INTEGER_BASE);
  return i32x4.sub(f32x4.add(f32x4.mul(x, inverse), base), base);
}

/** The last block of a row whose width is no multiple of a block: the same arithmetic, one number at a time; what is missing is 0. */
function quantisePart(x: usize, inside: i32, codes: usize, to: usize): void {
  let largest = 0;
  for (let i = 0; i < inside; i++) largest = max(largest, load<i32>(x + 4 * i) & i32.MAX_VALUE);
  const scale = scaleOf(largest);
  memory.fill(codes, 0, BLOCK);
  let sum = 0;
  if (scale > 0) {
    const inverse: f32 = 1 / scale;
    for (let i = 0; i < inside; i++) {
      const code = <i32>nearest(load<f32>(x + 4 * i) * inverse);
      store<i8>(codes + i, <i8>code);
      sum += code;
    }
  }
  store<f32>(to, scale);
  store<i32>(to, sum, 4);
}

/** The scale of a block from the bits of its largest magnitude. */
function scaleOf(bits: i32): f32 {
  if (bits >= INFINITY_BITS) return reinterpret<f32>(NAN_BITS);
  const scale = reinterpret<f32>(bits) / 127;
  return reinterpret<i32>(scale) < NORMAL_BITS ? 0 : scale;
}
