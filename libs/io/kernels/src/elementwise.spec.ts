import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KernelMemory, randomFloats } from '../test/kernel-memory.ts';

const memory = new KernelMemory();
const { kernels } = memory;

const bits = (values: Float32Array): Uint32Array => new Uint32Array(values.buffer, values.byteOffset, values.length);
const size = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });
const seed = fc.nat();

/** Largest relative difference. */
function furthest(values: ArrayLike<number>, expected: ArrayLike<number>): number {
  return Array.from(values).reduce((worst, value, i) => Math.max(worst, value === expected[i] ? 0 : Math.abs(value - expected[i]!) / Math.abs(expected[i]!)), 0);
}

describe('rmsNorm', () => {
  const norm = (x: Float32Array, weight: Float32Array, rows: number, epsilon = 1e-5): Float32Array => {
    memory.clear();
    const [width, out] = [weight.length, memory.room(x.length)];
    kernels.rmsNorm(memory.put(x), memory.put(weight), epsilon, out, rows, width, x.length / rows, width);
    return memory.read(out, rows * width);
  };

  it('is what float64 gives, for any width', () => {
    fc.assert(
      fc.property(size(4), size(700), fc.constantFrom(1e-3, 1, 1e4), seed, (rows, width, scale, s) => {
        const stride = width + 3;
        const [x, weight] = [randomFloats(rows * stride, s).map((value) => value * scale), randomFloats(width, s + 1)];
        const expected = Array.from({ length: rows }, (_, row) => {
          const values = Array.from(x.subarray(row * stride, row * stride + width));
          const mean = values.reduce((sum, value) => sum + value * value, 0) / width;
          return values.map((value, i) => (value / Math.sqrt(mean + Math.fround(1e-5))) * weight[i]!);
        }).flat();
        expect(furthest(norm(x, weight, rows), expected)).toBeLessThan(1e-6);
      }),
    );
  });

  it('keeps a NaN in its row', () => {
    const x = randomFloats(60, 1);
    x[25] = NaN;
    const out = norm(x, randomFloats(20, 2), 3);
    expect(Array.from(out, Number.isNaN)).toEqual(Array.from(out, (_, i) => i >= 20 && i < 40));
  });
});

describe('add and addScaled', () => {
  it('add any count and touch nothing behind', () => {
    fc.assert(
      fc.property(size(100), seed, (count, s) => {
        memory.clear();
        const [a, b] = [randomFloats(count, s), randomFloats(count, s + 1)];
        const [left, right, out] = [memory.put(a), memory.put(b), memory.room(count)];
        kernels.add(left, right, out, count);
        expect(memory.read(out, count + 1)).toEqual(Float32Array.of(...a.map((value, i) => value + b[i]!), NaN));
        kernels.addScaled(left, right, 0.3, count);
        const expected = a.map((value, i) => value + Math.fround(0.3) * b[i]!);
        memory.read(left, count).forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThan(2e-7));
      }),
    );
  });

  it('addScaled gives a value the same bits wherever a call begins', () => {
    const [a, b] = [randomFloats(50, 1), randomFloats(50, 2)];
    memory.clear();
    const [whole, parts, x] = [memory.put(a), memory.put(a), memory.put(b)];
    kernels.addScaled(whole, x, 0.7, 50);
    for (const [from, count] of [[0, 3], [3, 30], [33, 17]] as const) kernels.addScaled(parts + 4 * from, x + 4 * from, 0.7, count);
    expect(bits(memory.read(parts, 50))).toEqual(bits(memory.read(whole, 50)));
  });
});

describe('swiglu', () => {
  const silu = (x: number): number => x / (1 + Math.exp(-x));
  const gated = (gate: ArrayLike<number>): Float32Array => {
    memory.clear();
    const [count, out] = [gate.length, memory.room(gate.length)];
    kernels.swiglu(memory.put(gate), memory.put(new Float32Array(count).fill(1)), out, 1, count, count, count, count);
    return memory.read(out, count);
  };

  it('is within 3e-7 of float64 over the whole range of exp', () => {
    const gate = Float32Array.from({ length: 176_001 }, (_, i) => -88 + i / 1000);
    expect(furthest(gated(gate), Array.from(gate, silu))).toBeLessThan(3e-7);
  });

  it('goes to 0 and to x at the ends, and keeps what is no number', () => {
    expect(gated([-1000, -89, 89, 1000, Infinity, 0])).toEqual(Float32Array.of(-0, -0, 89, 1000, Infinity, 0));
    expect(gated([NaN, -Infinity])).toEqual(Float32Array.of(NaN, NaN));
  });

  it('gives a value the same bits whatever columns a call computes', () => {
    fc.assert(
      fc.property(size(3), size(70), fc.nat(69), seed, (rows, width, cut, s) => {
        memory.clear();
        const first = Math.min(cut, width);
        const [gateStride, upStride, outStride] = [width + 1, width + 2, width + 3];
        const [gate, up] = [memory.put(randomFloats(rows * gateStride, s).map((value) => 8 * value)), memory.put(randomFloats(rows * upStride, s + 1))];
        const [whole, parts] = [memory.room(rows * outStride), memory.room(rows * outStride)];
        kernels.swiglu(gate, up, whole, rows, width, gateStride, upStride, outStride);
        kernels.swiglu(gate, up, parts, rows, first, gateStride, upStride, outStride);
        kernels.swiglu(gate + 4 * first, up + 4 * first, parts + 4 * first, rows, width - first, gateStride, upStride, outStride);
        expect(bits(memory.read(parts, rows * outStride))).toEqual(bits(memory.read(whole, rows * outStride)));
      }),
    );
  });
});

describe('rotary positions', () => {
  const layouts = [
    { kernel: 'rotateHalves', pair: (i: number, half: number) => [i, i + half] },
    { kernel: 'rotatePairs', pair: (i: number) => [2 * i, 2 * i + 1] },
  ] as const;

  for (const { kernel, pair } of layouts) {
    it(`${kernel} turns pairs by the angles of their row, and scales whole heads`, () => {
      fc.assert(
        fc.property(size(3), size(3), size(20), fc.nat(5), fc.nat(5), fc.boolean(), seed, (rows, heads, half, before, after, scaled, s) => {
          memory.clear();
          const headSize = before + 2 * half + after;
          const [headStride, stride] = [headSize + 1, heads * (headSize + 1) + 2];
          const x = randomFloats(rows * stride, s);
          const angles = randomFloats(rows * half, s + 1).map((value) => 7 * value);
          const [cos, sin, scale] = [angles.map(Math.cos), angles.map(Math.sin), randomFloats(rows, s + 2)];
          const expected = Float64Array.from(x);
          for (let row = 0; row < rows; row++) {
            for (let head = 0; head < heads; head++) {
              const start = row * stride + head * headStride;
              if (scaled) for (let i = 0; i < headSize; i++) expected[start + i]! *= scale[row]!;
              for (let i = 0; i < half; i++) {
                const [first, second] = pair(i, half).map((at) => start + before + at) as [number, number];
                const [a, b, c, d] = [expected[first]!, expected[second]!, cos[row * half + i]!, sin[row * half + i]!];
                [expected[first], expected[second]] = [a * c - b * d, b * c + a * d];
              }
            }
          }
          const address = memory.put(x);
          kernels[kernel](address, heads, headSize, 2 * half, before, rows, stride, headStride, memory.put(cos), memory.put(sin), scaled ? memory.put(scale) : 0);
          memory.read(address, x.length).forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThan(3e-7));
        }),
      );
    });
  }
});
