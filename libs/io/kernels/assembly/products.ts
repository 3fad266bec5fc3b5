/**
 * out += a b for a few rows of a and 16 columns at a time: what both halves of attention are made of.
 * Each value of out adds up its products one after another, in order of n, whatever is computed beside it.
 *
 * a: row i, number n at a + i aStep + 4 n, `rows` by `count`. b: row n at b + n bStep, `width` bytes, a multiple of 16. out: row i at out + i outStep.
 */
export function addProducts(a: usize, aStep: usize, rows: i32, count: i32, b: usize, bStep: usize, width: usize, out: usize, outStep: usize): void {
  let column: usize = 0;
  for (; column + 64 <= width; column += 64) {
    let row = 0, from = a, to = out + column;
    for (; row + 4 <= rows; row += 4, from += aStep << 2, to += outStep << 2) fourRows(from, aStep, count, b + column, bStep, to, outStep);
    for (; row < rows; row++, from += aStep, to += outStep) oneRow(from, count, b + column, bStep, to);
  }
  for (; column < width; column += 16) {
    for (let row = 0; row < rows; row++) oneVector(a + usize(row) * aStep, count, b + column, bStep, out + usize(row) * outStep + column);
  }
}

function fourRows(a: usize, aStep: usize, count: i32, b: usize, bStep: usize, out: usize, outStep: usize): void {
  const out1 = out + outStep, out2 = out1 + outStep, out3 = out2 + outStep;
  let a0 = v128.load(out), a1 = v128.load(out, 16), a2 = v128.load(out, 32), a3 = v128.load(out, 48);
  let b0 = v128.load(out1), b1 = v128.load(out1, 16), b2 = v128.load(out1, 32), b3 = v128.load(out1, 48);
  let c0 = v128.load(out2), c1 = v128.load(out2, 16), c2 = v128.load(out2, 32), c3 = v128.load(out2, 48);
  let d0 = v128.load(out3), d1 = v128.load(out3, 16), d2 = v128.load(out3, 32), d3 = v128.load(out3, 48);
  const end = a + (usize(count) << 2), second = aStep, third = second + aStep, fourth = third + aStep;
  for (; a < end; a += 4, b += bStep) {
    const v0 = v128.load(b), v1 = v128.load(b, 16), v2 = v128.load(b, 32), v3 = v128.load(b, 48);
    const wa = v128.load32_splat(a), wb = v128.load32_splat(a + second), wc = v128.load32_splat(a + third), wd = v128.load32_splat(a + fourth);
    a0 = f32x4.relaxed_madd(wa, v0, a0);
    a1 = f32x4.relaxed_madd(wa, v1, a1);
    a2 = f32x4.relaxed_madd(wa, v2, a2);
    a3 = f32x4.relaxed_madd(wa, v3, a3);
    b0 = f32x4.relaxed_madd(wb, v0, b0);
    b1 = f32x4.relaxed_madd(wb, v1, b1);
    b2 = f32x4.relaxed_madd(wb, v2, b2);
    b3 = f32x4.relaxed_madd(wb, v3, b3);
    c0 = f32x4.relaxed_madd(wc, v0, c0);
    c1 = f32x4.relaxed_madd(wc, v1, c1);
    c2 = f32x4.relaxed_madd(wc, v2, c2);
    c3 = f32x4.relaxed_madd(wc, v3, c3);
    d0 = f32x4.relaxed_madd(wd, v0, d0);
    d1 = f32x4.relaxed_madd(wd, v1, d1);
    d2 = f32x4.relaxed_madd(wd, v2, d2);
    d3 = f32x4.relaxed_madd(wd, v3, d3);
  }
  v128.store(out, a0);
  v128.store(out, a1, 16);
  v128.store(out, a2, 32);
  v128.store(out, a3, 48);
  v128.store(out1, b0);
  v128.store(out1, b1, 16);
  v128.store(out1, b2, 32);
  v128.store(out1, b3, 48);
  v128.store(out2, c0);
  v128.store(out2, c1, 16);
  v128.store(out2, c2, 32);
  v128.store(out2, c3, 48);
  v128.store(out3, d0);
  v128.store(out3, d1, 16);
  v128.store(out3, d2, 32);
  v128.store(out3, d3, 48);
}

function oneRow(a: usize, count: i32, b: usize, bStep: usize, out: usize): void {
  let a0 = v128.load(out), a1 = v128.load(out, 16), a2 = v128.load(out, 32), a3 = v128.load(out, 48);
  const end = a + (usize(count) << 2);
  for (; a < end; a += 4, b += bStep) {
    const w = v128.load32_splat(a);
    a0 = f32x4.relaxed_madd(w, v128.load(b), a0);
    a1 = f32x4.relaxed_madd(w, v128.load(b, 16), a1);
    a2 = f32x4.relaxed_madd(w, v128.load(b, 32), a2);
    a3 = f32x4.relaxed_madd(w, v128.load(b, 48), a3);
  }
  v128.store(out, a0);
  v128.store(out, a1, 16);
  v128.store(out, a2, 32);
  v128.store(out, a3, 48);
}

function oneVector(a: usize, count: i32, b: usize, bStep: usize, out: usize): void {
  let sum = v128.load(out);
  const end = a + (usize(count) << 2);
  for (; a < end; a += 4, b += bStep) sum = f32x4.relaxed_madd(v128.load32_splat(a), v128.load(b), sum);
  v128.store(out, sum);
}
