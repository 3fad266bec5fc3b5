/** Here x is `bytes` bytes, a multiple of 16. Two vectors at a time: a load of 32 bytes waits long where two stores of 16 have just been. */
export function clear(x: usize, bytes: usize): void {
  const zero = f32x4.splat(0), end = x + bytes;
  for (; x + 32 <= end; x += 32) {
    v128.store(x, zero);
    v128.store(x, zero, 16);
  }
  if (x < end) v128.store(x, zero);
}

export function multiply(x: usize, bytes: usize, by: f32): void {
  const factor = f32x4.splat(by), end = x + bytes;
  for (; x + 32 <= end; x += 32) {
    const low = f32x4.mul(v128.load(x), factor), high = f32x4.mul(v128.load(x, 16), factor);
    v128.store(x, low);
    v128.store(x, high, 16);
  }
  if (x < end) v128.store(x, f32x4.mul(v128.load(x), factor));
}

export function divide(x: usize, bytes: usize, by: f32): void {
  const divisor = f32x4.splat(by), end = x + bytes;
  for (; x + 32 <= end; x += 32) {
    const low = f32x4.div(v128.load(x), divisor), high = f32x4.div(v128.load(x, 16), divisor);
    v128.store(x, low);
    v128.store(x, high, 16);
  }
  if (x < end) v128.store(x, f32x4.div(v128.load(x), divisor));
}
