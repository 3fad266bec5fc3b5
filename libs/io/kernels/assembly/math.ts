/**
 * Constants of the element-wise kernels, each one float32 in its own four bytes. V8 builds a SIMD constant anew
 * wherever it is used, so kernels load it instead: `v128.load32_splat(ADDRESS)`. A memory needs `initElementwiseConstants` once.
 */
const EXP_LOWEST: usize = 512;
const EXP_HIGHEST: usize = 516;
const LOG2_E: usize = 520;
const ROUNDING: usize = 524;
const LN2_HIGH: usize = 528;
const LN2_LOW: usize = 532;
const EXP_6: usize = 536;
const EXP_5: usize = 540;
const EXP_4: usize = 544;
const EXP_3: usize = 548;
const EXP_2: usize = 552;
export const ONE: usize = 556;
const INFINITE: usize = 560;
export const LOWEST: usize = 564;
/** -0, +0, -0, +0: 16 bytes. */
export const EVEN_SIGNS: usize = 576;

export function initElementwiseConstants(): void {
  store<f32>(EXP_LOWEST, -87.33654475); // ln 2^-126: below, results would not be normal numbers
  store<f32>(EXP_HIGHEST, 88.3762626); // 127.5 ln 2: above, 2^n would not fit
  store<f32>(LOG2_E, 1.44269504088896341);
  store<f32>(ROUNDING, 12582912); // 1.5 * 2^23: what is added to it is rounded to an integer, found in its low bits
  store<f32>(LN2_HIGH, -0.693359375); // few bits, so that n times it is exact even without fused operations
  store<f32>(LN2_LOW, 2.12194440e-4);
  store<f32>(EXP_6, 0.0013926250394433737);
  store<f32>(EXP_5, 0.00836323294788599);
  store<f32>(EXP_4, 0.04166655242443085);
  store<f32>(EXP_3, 0.16666576266288757);
  store<f32>(EXP_2, 0.5);
  store<f32>(ONE, 1);
  store<f32>(INFINITE, Infinity);
  store<f32>(LOWEST, -Infinity);
  v128.store(EVEN_SIGNS, i32x4(i32.MIN_VALUE, 0, i32.MIN_VALUE, 0));
}

/**
 * exp of four floats, relative error below 2e-7 on [-87.33, 88.37]; 0 below, infinity above, NaN stays NaN.
 */
// @ts-ignore: decorator
@inline
export function exp(x: v128): v128 {
  const highest = v128.load32_splat(EXP_HIGHEST);
  return v128.bitselect(v128.load32_splat(INFINITE), expUpToHighest(f32x4.pmin(x, highest)), f32x4.gt(x, highest));
}

/**
 * The same for floats up to 88.37. 2^n * p(r) with x = n ln 2 + r, |r| <= ln 2 / 2, p of degree 6 interpolating at Chebyshev's points.
 */
// @ts-ignore: decorator
@inline
export function expUpToHighest(x: v128): v128 {
  const lowest = v128.load32_splat(EXP_LOWEST), rounding = v128.load32_splat(ROUNDING), one = v128.load32_splat(ONE);
  // pmax and pmin keep their first operand when it is NaN.
  const bounded = f32x4.pmax(x, lowest);
  const shifted = f32x4.relaxed_madd(bounded, v128.load32_splat(LOG2_E), rounding);
  const n = f32x4.sub(shifted, rounding);
  const r = f32x4.relaxed_madd(n, v128.load32_splat(LN2_LOW), f32x4.relaxed_madd(n, v128.load32_splat(LN2_HIGH), bounded));
  let p = f32x4.relaxed_madd(v128.load32_splat(EXP_6), r, v128.load32_splat(EXP_5));
  p = f32x4.relaxed_madd(p, r, v128.load32_splat(EXP_4));
  p = f32x4.relaxed_madd(p, r, v128.load32_splat(EXP_3));
  p = f32x4.relaxed_madd(p, r, v128.load32_splat(EXP_2));
  p = f32x4.relaxed_madd(p, r, one);
  p = f32x4.relaxed_madd(p, r, one);
  // The bits of `one` are its exponent: n more of it is 2^n.
  const scaled = f32x4.mul(p, i32x4.add(i32x4.shl(shifted, 23), one));
  return v128.andnot(scaled, f32x4.lt(x, lowest));
}

/** Sum of the four lanes, in one order everywhere. */
// @ts-ignore: decorator
@inline
export function laneSum(x: v128): f32 {
  return (f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 2)) + (f32x4.extract_lane(x, 1) + f32x4.extract_lane(x, 3));
}
