const bits = new DataView(new ArrayBuffer(8));

/** a * b + c, rounded once, of float32 numbers. */
export function fma(a: number, b: number, c: number): number {
  const product = a * b; // exact: 48 bits at most
  const sum = product + c;
  if (!Number.isFinite(sum)) return sum;
  const part = sum - product;
  const error = product - (sum - part) + (c - part);
  return Math.fround(error === 0 ? sum : roundedToOdd(sum, error));
}

/** Rounding to odd first makes the second rounding right, see Boldo and Melquiond, Emulation of FMA and correctly rounded sums (2008). */
function roundedToOdd(sum: number, error: number): number {
  bits.setFloat64(0, sum);
  const pattern = bits.getBigInt64(0);
  if (pattern & 1n) return sum;
  bits.setBigInt64(0, pattern + (error > 0 === sum > 0 ? 1n : -1n));
  return bits.getFloat64(0);
}

/** The float32 that a bf16 pattern stands for. */
export function fromBf16(pattern: number): number {
  bits.setUint32(0, pattern << 16);
  return bits.getFloat32(0);
}

/** The bf16 pattern next to a float32, the even one of two that are as near. */
export function toBf16(value: number): number {
  bits.setFloat32(0, value);
  const below = bits.getUint16(0);
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 0x7fc0 : below;
  const above = fromBf16(below + 1);
  // Beyond the largest number rounding goes on as if there were one more.
  const next = Number.isFinite(above) ? above : Math.sign(value) * 2 ** 128;
  const [low, high] = [Math.abs(value - fromBf16(below)), Math.abs(next - value)];
  return low < high || (low === high && below % 2 === 0) ? below : below + 1;
}

/** Nearest integer, ties to even. */
export function nearest(x: number): number {
  const rounded = Math.round(x);
  return rounded - x === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** Numbers in [0, 1) that depend on the seed alone. @see https://github.com/bryc/code/blob/master/jshash/PRNGs.md (mulberry32) */
export function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
