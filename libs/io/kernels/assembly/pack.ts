/**
 * Weights into int4 and int8 panels, see `libs/model/panels`. The arithmetic is that of `libs/model/quantise`, in float64 and each step in
 * its order, so that both give the same bytes. The lanes of a vector are neighbours, or scales that are tried.
 */
import { BLOCK, blocksOf, PANEL } from './layout';

/** Bytes of the codes of a block of a panel, and of its scales. */
const CODES_4: i32 = (PANEL * BLOCK) / 2;
const CODES_8: i32 = PANEL * BLOCK;
const SCALES: i32 = 2 * PANEL;

/** Where in the scratch things are: the block at hand as float32 and as float64, and the numbers that codes are rounded with. */
const DOUBLES: usize = 4 * BLOCK;
const ZERO: usize = DOUBLES + 8 * BLOCK;
const HALF: usize = ZERO + 8;
const LARGEST: usize = HALF + 8;

/** Bytes of the `scratch` of `pack4` and `pack8`, aligned to 16; it is the calling thread's own. */
export function packScratchBytes(): i32 {
  return <i32>LARGEST + 8;
}

/** f32 values [rows, k] as int4 panels; rows that the last panel lacks are zeros. */
export function pack4(values: usize, rows: i32, k: i32, out: usize, scratch: usize): void {
  initRounding(scratch, 8, 15);
  for (let row = 0; row < panelRows(rows); row++) {
    const column = row % PANEL;
    let to = out + (row / PANEL) * blocksOf(k) * (CODES_4 + SCALES);
    for (let first = 0; first < k; first += BLOCK, to += CODES_4 + SCALES) {
      // Adding 0 makes the -0 of a block of zeros a 0.
      const full = toBf16(takeBlock(values + 4 * first, row < rows ? k - first : 0, scratch) / -8 + 0);
      const scale = bestScale(full, scratch);
      encode4(scratch, inverseOf(scale), to + 4 * column);
      store<u16>(to + CODES_4 + 2 * column, bf16Bits(scale));
    }
    values += 4 * k;
  }
}

/** f32 values [rows, k] as int8 panels; rows that the last panel lacks are zeros. */
export function pack8(values: usize, rows: i32, k: i32, out: usize, scratch: usize): void {
  initRounding(scratch, 128, 255);
  for (let row = 0; row < panelRows(rows); row++) {
    const column = row % PANEL;
    let to = out + (row / PANEL) * blocksOf(k) * (CODES_8 + SCALES);
    for (let first = 0; first < k; first += BLOCK, to += CODES_8 + SCALES) {
      const scale = toBf16(abs(takeBlock(values + 4 * first, row < rows ? k - first : 0, scratch)) / 127);
      encode8(scratch, inverseOf(scale), to + 4 * column);
      store<u16>(to + CODES_8 + 2 * column, bf16Bits(scale));
    }
    values += 4 * k;
  }
}

function panelRows(rows: i32): i32 {
  return ((rows + PANEL - 1) / PANEL) * PANEL;
}

/** In memory, because loops load vectors faster than V8 makes constant ones. */
function initRounding(scratch: usize, zero: f64, largest: f64): void {
  store<f64>(scratch + ZERO, zero);
  store<f64>(scratch + HALF, 0.5);
  store<f64>(scratch + LARGEST, largest);
}

/** Takes a block of which `inside` values are there, zeros for the rest, into the scratch. Returns the value of largest magnitude, the negative one of two; NaN if there is one. */
function takeBlock(values: usize, inside: i32, scratch: usize): f64 {
  if (inside < BLOCK) {
    memory.fill(scratch, 0, 4 * BLOCK);
    // Where nothing is there, `values` may lie behind the memory, from which not even no bytes may be copied.
    if (inside > 0) memory.copy(scratch, values, 4 * inside);
    values = scratch;
  }
  let most = f32x4.splat(0), least = f32x4.splat(0), unordered = f32x4.splat(0);
  for (let i = 0; i < 4 * BLOCK; i += 16) {
    const four = v128.load(values + i);
    // A NaN is neither more nor less: these never become one.
    most = f32x4.pmax(most, four);
    least = f32x4.pmin(least, four);
    unordered = v128.or(unordered, f32x4.ne(four, four));
    const to = scratch + DOUBLES + 2 * i;
    v128.store(to, f64x2.promote_low_f32x4(four));
    v128.store(to, f64x2.promote_low_f32x4(v128.shuffle<i32>(four, four, 2, 3, 2, 3)), 16);
  }
  if (v128.any_true(unordered)) return NaN;
  const above: f64 = largestOf(most), below: f64 = largestOf(f32x4.neg(least));
  return above > below ? above : -below;
}

function largestOf(four: v128): f32 {
  const two = f32x4.pmax(four, v128.shuffle<i32>(four, four, 2, 3, 2, 3));
  return max(f32x4.extract_lane(two, 0), f32x4.extract_lane(two, 1));
}

/** Of the full scale and three fractions of it, the one of least squared error: two a vector, summed up over the block one value after the other. */
function bestScale(full: f64, scratch: usize): f64 {
  const one = toBf16(full * 0.95), two = toBf16(full * 0.9), three = toBf16(full * 0.85);
  const scales01 = f64x2(full, one), inverses01 = f64x2(inverseOf(full), inverseOf(one));
  const scales23 = f64x2(two, three), inverses23 = f64x2(inverseOf(two), inverseOf(three));
  const zero = v128.load64_splat(scratch + ZERO), half = v128.load64_splat(scratch + HALF), largest = v128.load64_splat(scratch + LARGEST);
  let errors01 = f64x2.splat(0), errors23 = f64x2.splat(0);
  for (let i: usize = DOUBLES; i < ZERO; i += 8) {
    const value = v128.load64_splat(scratch + i);
    const difference01 = f64x2.sub(value, f64x2.mul(f64x2.sub(codesOf(value, inverses01, zero, half, largest), zero), scales01));
    const difference23 = f64x2.sub(value, f64x2.mul(f64x2.sub(codesOf(value, inverses23, zero, half, largest), zero), scales23));
    errors01 = f64x2.add(errors01, f64x2.mul(difference01, difference01));
    errors23 = f64x2.add(errors23, f64x2.mul(difference23, difference23));
  }
  let scale = full, least = f64x2.extract_lane(errors01, 0);
  if (f64x2.extract_lane(errors01, 1) < least) {
    scale = one;
    least = f64x2.extract_lane(errors01, 1);
  }
  if (f64x2.extract_lane(errors23, 0) < least) {
    scale = two;
    least = f64x2.extract_lane(errors23, 0);
  }
  return f64x2.extract_lane(errors23, 1) < least ? three : scale;
}

/** The nearest codes, half up, as whole numbers; what is no number becomes 0. */
// @ts-ignore: decorator
@inline
function codesOf(values: v128, inverses: v128, zero: v128, half: v128, largest: v128): v128 {
  const shifted = f64x2.add(f64x2.add(f64x2.mul(values, inverses), zero), half);
  return f64x2.floor(f64x2.pmin(largest, f64x2.pmax(f64x2.splat(0), shifted)));
}

function encode4(scratch: usize, inverse: f64, to: usize): void {
  const end = scratch + ZERO;
  for (let from = scratch + DOUBLES; from < end; from += 64, to += 4 * PANEL) {
    store<i32>(to, bytesOf(v128.or(fourCodes(from, inverse, end), i32x4.shl(fourCodes(from + 32, inverse, end), 4))));
  }
}

function encode8(scratch: usize, inverse: f64, to: usize): void {
  const end = scratch + ZERO;
  for (let from = scratch + DOUBLES; from < end; from += 32, to += 4 * PANEL) store<i32>(to, bytesOf(fourCodes(from, inverse, end)));
}

/** Codes of four values as integers; `rounding` is the address of what they are rounded with. */
// @ts-ignore: decorator
@inline
function fourCodes(from: usize, inverse: f64, rounding: usize): v128 {
  const inverses = f64x2.splat(inverse);
  const zero = v128.load64_splat(rounding), half = v128.load64_splat(rounding + 8), largest = v128.load64_splat(rounding + 16);
  const low = i32x4.relaxed_trunc_f64x2_s_zero(codesOf(v128.load(from), inverses, zero, half, largest));
  const high = i32x4.relaxed_trunc_f64x2_s_zero(codesOf(v128.load(from, 16), inverses, zero, half, largest));
  return v128.shuffle<i32>(low, high, 0, 1, 4, 5);
}

/** The lowest byte of each of four integers up to 255. */
// @ts-ignore: decorator
@inline
function bytesOf(four: v128): i32 {
  const halves = i16x8.narrow_i32x4_u(four, four);
  return i32x4.extract_lane(i8x16.narrow_i16x8_u(halves, halves), 0);
}

function inverseOf(scale: f64): f64 {
  return scale == 0 ? 0 : 1 / scale;
}

/** The nearest bfloat16 of the nearest float32, to even where two are. */
function toBf16(value: f64): f64 {
  const bits = reinterpret<u32>(<f32>value);
  return value != value ? NaN : reinterpret<f32>((bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000);
}

/** The upper half of a float32; a NaN is always the same one. */
function bf16Bits(scale: f64): u16 {
  return <u16>((scale != scale ? <u32>0x7fc00000 : reinterpret<u32>(<f32>scale)) >>> 16);
}
