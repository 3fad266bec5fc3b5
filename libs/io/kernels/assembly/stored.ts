/** Keys and values are stored as T: float32, or u16 for bfloat16, which is the upper half of a float32. */

// @ts-ignore: decorator
@inline
export function loadFour<T>(at: usize): v128 {
  if (sizeof<T>() == 2) return i32x4.shl(v128.load16x4_u(at), 16);
  return v128.load(at);
}

/** Bytes of as many numbers as take `bytes` bytes in float32. */
// @ts-ignore: decorator
@inline
export function storedBytes<T>(bytes: usize): usize {
  return sizeof<T>() == 2 ? bytes >> 1 : bytes;
}

/** Copies `rows` rows of `width` floats, a multiple of 4, as bfloat16, rounded to nearest even; NaN stays NaN. Strides are in numbers. */
export function copyRowsBf16(from: usize, fromStride: i32, to: usize, toStride: i32, rows: i32, width: i32): void {
  const below = i32x4.splat(0x7fff), one = i32x4.splat(1), nan = i32x4.splat(0x7fc0);
  for (let row = 0; row < rows; row++) {
    const source = from + (usize(row) * fromStride << 2), target = to + (usize(row) * toStride << 1);
    for (let i: usize = 0; i < usize(width) << 1; i += 8) {
      const x = v128.load(source + 2 * i);
      const even = v128.and(i32x4.shr_u(x, 16), one);
      const rounded = i32x4.shr_u(i32x4.add(x, i32x4.add(below, even)), 16);
      const bits = v128.bitselect(nan, rounded, f32x4.ne(x, x));
      v128.store64_lane(target + i, i16x8.narrow_i32x4_u(bits, bits), 0);
    }
  }
}

/** Copies `rows` rows of `width` numbers of bfloat16, a multiple of 4, as float32. Strides are in numbers. */
export function widenRowsBf16(from: usize, fromStride: i32, to: usize, toStride: i32, rows: i32, width: i32): void {
  for (let row = 0; row < rows; row++) {
    const source = from + (usize(row) * fromStride << 1), target = to + (usize(row) * toStride << 2);
    for (let i: usize = 0; i < usize(width) << 2; i += 16) v128.store(target + i, loadFour<u16>(source + storedBytes<u16>(i)));
  }
}
