/** The dot instruction, and what this CPU makes of the operands that WebAssembly leaves open. */

/** Bytes above 127 of the second operand are unsigned, and no sum saturates: x86 with AVX-VNNI. */
export const UNSIGNED: i32 = 0;
/** They are signed: ARM. */
export const SIGNED: i32 = 1;
/** Neither: x86 before AVX-VNNI multiplies to sums of pairs of 16 bits, which saturate, and makes four instructions more of the rest. */
export const PAIRS: i32 = 2;

/** acc + x . w per lane of four bytes; x is signed. Exact on every CPU for w of 0 to 127. */
// @ts-ignore: decorator
@inline
export function dot(x: v128, w: v128, acc: v128): v128 {
  return i32x4.relaxed_dot_i8x16_i7x16_add_s(x, w, acc);
}

/** Sums of pairs of products, in 16 bits. Exact on every CPU for w of 0 to 127. */
// @ts-ignore: decorator
@inline
export function dotPairs(x: v128, w: v128): v128 {
  return i16x8.relaxed_dot_i8x16_i7x16_s(x, w);
}

/** Which of `UNSIGNED`, `SIGNED` and `PAIRS` suits this CPU. */
export function probeDot(): i32 {
  const acc = i32x4.splat(0);
  const plus = i8x16.splat(127), minus = i8x16.splat(-127), w = i8x16.splat(-1), low = i8x16.splat(-128);
  if (all(dot(plus, w, acc), 4 * 127 * 255) && all(dot(minus, w, acc), -4 * 127 * 255) && all(dot(plus, low, acc), 4 * 127 * 128)) return UNSIGNED;
  if (all(dot(plus, w, acc), -4 * 127) && all(dot(minus, low, acc), 4 * 127 * 128) && all(dot(plus, low, acc), -4 * 127 * 128)) return SIGNED;
  return PAIRS;
}

function all(lanes: v128, value: i32): bool {
  return i32x4.all_true(i32x4.eq(lanes, i32x4.splat(value)));
}
