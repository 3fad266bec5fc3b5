import { loadFour, storedBytes } from './stored';

/**
 * out += a b: what both halves of attention are made of. Each value of out adds up its products one after another, in order of n,
 * whatever is computed beside it. a: number n of a row at 4 n; b: row n at n bStep, its numbers T.
 */

/** Four rows of a and out, 16 columns of b. Rows may be the same one. */
export function addToFour<T>(a0: usize, a1: usize, a2: usize, a3: usize, count: i32, b: usize, bStep: usize, out0: usize, out1: usize, out2: usize, out3: usize): void {
  let s00 = v128.load(out0), s01 = v128.load(out0, 16), s02 = v128.load(out0, 32), s03 = v128.load(out0, 48);
  let s10 = v128.load(out1), s11 = v128.load(out1, 16), s12 = v128.load(out1, 32), s13 = v128.load(out1, 48);
  let s20 = v128.load(out2), s21 = v128.load(out2, 16), s22 = v128.load(out2, 32), s23 = v128.load(out2, 48);
  let s30 = v128.load(out3), s31 = v128.load(out3, 16), s32 = v128.load(out3, 32), s33 = v128.load(out3, 48);
  const end = usize(count) << 2;
  for (let n: usize = 0; n < end; n += 4, b += bStep) {
    const b0 = loadFour<T>(b), b1 = loadFour<T>(b + storedBytes<T>(16)), b2 = loadFour<T>(b + storedBytes<T>(32)), b3 = loadFour<T>(b + storedBytes<T>(48));
    const n0 = v128.load32_splat(a0 + n), n1 = v128.load32_splat(a1 + n), n2 = v128.load32_splat(a2 + n), n3 = v128.load32_splat(a3 + n);
    s00 = f32x4.relaxed_madd(n0, b0, s00);
    s01 = f32x4.relaxed_madd(n0, b1, s01);
    s02 = f32x4.relaxed_madd(n0, b2, s02);
    s03 = f32x4.relaxed_madd(n0, b3, s03);
    s10 = f32x4.relaxed_madd(n1, b0, s10);
    s11 = f32x4.relaxed_madd(n1, b1, s11);
    s12 = f32x4.relaxed_madd(n1, b2, s12);
    s13 = f32x4.relaxed_madd(n1, b3, s13);
    s20 = f32x4.relaxed_madd(n2, b0, s20);
    s21 = f32x4.relaxed_madd(n2, b1, s21);
    s22 = f32x4.relaxed_madd(n2, b2, s22);
    s23 = f32x4.relaxed_madd(n2, b3, s23);
    s30 = f32x4.relaxed_madd(n3, b0, s30);
    s31 = f32x4.relaxed_madd(n3, b1, s31);
    s32 = f32x4.relaxed_madd(n3, b2, s32);
    s33 = f32x4.relaxed_madd(n3, b3, s33);
  }
  v128.store(out0, s00);
  v128.store(out0, s01, 16);
  v128.store(out0, s02, 32);
  v128.store(out0, s03, 48);
  v128.store(out1, s10);
  v128.store(out1, s11, 16);
  v128.store(out1, s12, 32);
  v128.store(out1, s13, 48);
  v128.store(out2, s20);
  v128.store(out2, s21, 16);
  v128.store(out2, s22, 32);
  v128.store(out2, s23, 48);
  v128.store(out3, s30);
  v128.store(out3, s31, 16);
  v128.store(out3, s32, 32);
  v128.store(out3, s33, 48);
}

/** One row, 16 columns. */
export function addToOne<T>(a: usize, count: i32, b: usize, bStep: usize, out: usize): void {
  let s0 = v128.load(out), s1 = v128.load(out, 16), s2 = v128.load(out, 32), s3 = v128.load(out, 48);
  for (const end = a + (usize(count) << 2); a < end; a += 4, b += bStep) {
    const n = v128.load32_splat(a);
    s0 = f32x4.relaxed_madd(n, loadFour<T>(b), s0);
    s1 = f32x4.relaxed_madd(n, loadFour<T>(b + storedBytes<T>(16)), s1);
    s2 = f32x4.relaxed_madd(n, loadFour<T>(b + storedBytes<T>(32)), s2);
    s3 = f32x4.relaxed_madd(n, loadFour<T>(b + storedBytes<T>(48)), s3);
  }
  v128.store(out, s0);
  v128.store(out, s1, 16);
  v128.store(out, s2, 32);
  v128.store(out, s3, 48);
}

/** One row, 4 columns. */
export function addToVector<T>(a: usize, count: i32, b: usize, bStep: usize, out: usize): void {
  let sum = v128.load(out);
  for (const end = a + (usize(count) << 2); a < end; a += 4, b += bStep) sum = f32x4.relaxed_madd(v128.load32_splat(a), loadFour<T>(b), sum);
  v128.store(out, sum);
}
