/**
 * Numbers that loops load from memory, because V8 makes a constant vector anew in each turn of a loop, at four times the cost of a load.
 * They lie at the addresses 64 to 1023 of each memory.
 */
import { probeDot } from './dot';
import { initElementwiseConstants } from './math';

/** u32: the low nibble of each byte. */
export const LOW_NIBBLES: usize = 64;
/** f32 1.5 * 2^23: an integer below 2^22 in size, added to its bits, is a float that exceeds it by that integer. */
export const INTEGER_BASE: usize = 68;
/** u32: all but the sign of a float. */
export const MAGNITUDE: usize = 72;
/** u32: the high bit of each byte: what makes a code of 8 bits signed. */
export const HIGH_BITS: usize = 76;
/** i16: 1, twice. */
export const ONES: usize = 84;
/** i32: the form of the linear kernels that suits the dot instruction, see `probeDot`. */
export const DOT_FORM: usize = 80;

/** Bits of `INTEGER_BASE`. */
export const INTEGER_BASE_BITS: i32 = 0x4b400000;

/** Writes the constants. Once per memory, before any other call. */
export function initConstants(): void {
  store<u32>(LOW_NIBBLES, 0x0f0f0f0f);
  store<i32>(INTEGER_BASE, INTEGER_BASE_BITS);
  store<u32>(MAGNITUDE, 0x7fffffff);
  store<u32>(HIGH_BITS, 0x80808080);
  store<u32>(ONES, 0x00010001);
  store<i32>(DOT_FORM, probeDot());
  initElementwiseConstants();
}

/** Makes linear kernels take the form for a CPU with that dot instruction, see `probeDot`. `PAIRS` is right on every CPU. */
export function setDotForm(form: i32): void {
  store<i32>(DOT_FORM, form);
}
