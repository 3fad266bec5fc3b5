/**
 * Forms of products of signed activations and weights, for the nibbles of int4 and the bytes of int8, and for what the dot instruction
 * can do. Each takes the instruction only for what it is exact for. Forms up to `NIBBLE_PAIRS` are of nibbles.
 */
import { dot, dotPairs } from './dot';
import { BLOCK, PANEL } from './layout';

/** 0 to 15, 8 too high. */
export const NIBBLES: i32 = 0;
/** The same; a block's eight sums of 16 bits are added before they become sums of 32: 8 * 2 * 127 * 15 < 2^15. */
export const NIBBLE_PAIRS: i32 = 1;
/** 0 to 255, 128 too high, where bytes are taken as unsigned. */
export const UNSIGNED_BYTES: i32 = 2;
/** -128 to 127, where they are taken as signed. */
export const SIGNED_BYTES: i32 = 3;
/**
 * Magnitudes; the activations get the signs of the weights: 2 * 127 * 127 < 2^15. A weight of -128, which quantising never makes, is right
 * where bytes are taken as unsigned.
 */
export const BYTE_PAIRS: i32 = 4;

/** The code that means zero. */
// @ts-ignore: decorator
@inline
export function offsetOf(form: i32): i32 {
  return form <= NIBBLE_PAIRS ? 8 : form == UNSIGNED_BYTES ? 128 : 0;
}

/** Bytes of a block of a panel: its codes, then 16 bf16 scales. */
// @ts-ignore: decorator
@inline
export function blockBytes(form: i32): i32 {
  return (form <= NIBBLE_PAIRS ? PANEL * BLOCK / 2 : PANEL * BLOCK) + 2 * PANEL;
}

/** What the instruction multiplies, of codes as they lie in a panel. mask: `LOW_NIBBLES` or `HIGH_BITS`. */
// @ts-ignore: decorator
@inline
export function weights(form: i32, codes: v128, mask: v128): v128 {
  return form <= NIBBLE_PAIRS ? v128.and(codes, mask)
    : form == UNSIGNED_BYTES ? codes
    : form == SIGNED_BYTES ? v128.xor(codes, mask)
    : i8x16.abs(v128.xor(codes, mask));
}

/** For `BYTE_PAIRS`: all bits of the bytes whose weight is negative. */
// @ts-ignore: decorator
@inline
export function signs(codes: v128, mask: v128): v128 {
  return i8x16.gt_s(i8x16.splat(0), v128.xor(codes, mask));
}

/** What the sum of a block begins with. */
// @ts-ignore: decorator
@inline
export function begin(form: i32, start: v128): v128 {
  return form == NIBBLE_PAIRS ? i32x4.splat(0) : start;
}

/** sum + the products of four k's. ones: 16 bits each. */
// @ts-ignore: decorator
@inline
export function add(form: i32, x: v128, weights: v128, signs: v128, ones: v128, sum: v128): v128 {
  return form == NIBBLE_PAIRS ? i16x8.add(sum, dotPairs(x, weights))
    : form == BYTE_PAIRS ? i32x4.add(sum, i32x4.dot_i16x8_s(dotPairs(i8x16.sub(v128.xor(x, signs), signs), weights), ones))
    : dot(x, weights, sum);
}

/** The sum of a block of `NIBBLE_PAIRS` in 32 bits, with what the others begin with. */
// @ts-ignore: decorator
@inline
export function end(sum: v128, start: v128, ones: v128): v128 {
  return i32x4.add(i32x4.dot_i16x8_s(sum, ones), start);
}
