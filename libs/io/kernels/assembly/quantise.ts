import { MAGNITUDE } from './constants';
import { BLOCK, blocksOf, quantisedStride } from './layout';

const INFINITY_BITS: i32 = 0x7f800000;
const NAN_BITS: i32 = 0x7fc00000;
/** The smallest normal float. */
const NORMAL_BITS: i32 = 0x00800000;

/**
 * Rows of x as int8 codes with a scale per block: scale = max |x| / 127, code = nearest integer of x / scale, ties to even.
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
  // Bits of magnitudes are in the order of the magnitudes, with infinity and NaN above all numbers.
  const magnitude = v128.load32_splat(MAGNITUDE);
  let largest = v128.and(v128.load(x), magnitude);
  for (let i = 16; i < 4 * BLOCK; i += 16) largest = i32x4.max_s(largest, v128.and(v128.load(x + i), magnitude));
  largest = i32x4.max_s(largest, v128.shuffle<i32>(largest, largest, 2, 3, 0, 1));
  largest = i32x4.max_s(largest, v128.shuffle<i32>(largest, largest, 1, 0, 3, 2));
  const scale = scaleOf(i32x4.extract_lane(largest, 0));
  store<f32>(to, scale);
  if (!(scale > 0)) {
    memory.fill(codes, 0, BLOCK);
    store<i32>(to, 0, 4);
    return;
  }
  const divisor = f32x4.splat(scale);
  let sum = i32x4.splat(0);
  for (let half = 0; half < 2; half++) {
    const low = i16x8.narrow_i32x4_s(codesOf(v128.load(x), divisor), codesOf(v128.load(x, 16), divisor));
    const high = i16x8.narrow_i32x4_s(codesOf(v128.load(x, 32), divisor), codesOf(v128.load(x, 48), divisor));
    v128.store(codes, i8x16.narrow_i16x8_s(low, high));
    sum = i32x4.add(sum, i32x4.extadd_pairwise_i16x8_s(i16x8.add(low, high)));
    x += 64;
    codes += 16;
  }
  sum = i32x4.add(sum, v128.shuffle<i32>(sum, sum, 2, 3, 0, 1));
  store<i32>(to, i32x4.extract_lane(sum, 0) + i32x4.extract_lane(sum, 1), 4);
}

// @ts-ignore: decorator
@inline
function codesOf(x: v128, divisor: v128): v128 {
  return i32x4.relaxed_trunc_f32x4_s(f32x4.nearest(f32x4.div(x, divisor)));
}

/** The last block of a row whose width is no multiple of a block: the same arithmetic, one number at a time; what is missing is 0. */
function quantisePart(x: usize, inside: i32, codes: usize, to: usize): void {
  let largest = 0;
  for (let i = 0; i < inside; i++) largest = max(largest, load<i32>(x + 4 * i) & i32.MAX_VALUE);
  const scale = scaleOf(largest);
  memory.fill(codes, 0, BLOCK);
  let sum = 0;
  if (scale > 0) {
    for (let i = 0; i < inside; i++) {
      const code = <i32>nearest(load<f32>(x + 4 * i) / scale);
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
