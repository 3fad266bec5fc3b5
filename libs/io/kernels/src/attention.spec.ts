import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KV_DTYPES, type KvDtype } from '@essaim/core';
import { fromBf16, toBf16 } from '../test/float32.ts';
import { KernelMemory, randomFloats } from '../test/kernel-memory.ts';
import { KEPT } from './kept.ts';

const memory = new KernelMemory({ wide: true }, 1 << 25);

/** Arrays of one call: q [rows, heads, keySize], keys [positions, keySize], values [positions, valueSize]; all dense. */
interface Case {
  readonly rows: number;
  readonly first: number;
  readonly heads: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly window: number;
  readonly q: Float32Array;
  readonly keys: Float32Array;
  readonly values: Float32Array;
}

type Shape = Omit<Case, 'q' | 'keys' | 'values'>;

const fill = (shape: Shape, seed: number, sharpness = 1): Case => {
  const [{ rows, heads, keySize, valueSize }, positions] = [shape, shape.first + shape.rows];
  return {
    ...shape,
    q: randomFloats(rows * heads * keySize, seed).map((value) => value * sharpness),
    keys: randomFloats(positions * keySize, seed + 1),
    values: randomFloats(positions * valueSize, seed + 2),
  };
};

const four = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max: max / 4 }).map((value) => 4 * value);
const shapes = fc.record({
  rows: fc.integer({ min: 1, max: 20 }),
  first: fc.nat(200),
  heads: fc.integer({ min: 1, max: 9 }),
  keySize: four(160),
  valueSize: four(160),
  window: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 250 })),
});
const cases = fc.record({ shape: shapes, seed: fc.nat(), sharpness: fc.constantFrom(1, 40) }).map(({ shape, seed, sharpness }) => fill(shape, seed, sharpness));

/** What a call computes of the rows and heads of a case: [rows, heads, valueSize]. */
interface Part {
  readonly fromRow?: number;
  readonly rows?: number;
  readonly fromHead?: number;
  readonly heads?: number;
}

const scoreScale = (keySize: number): number => Math.fround(1 / Math.sqrt(keySize));

interface Call {
  readonly parts?: readonly Part[];
  readonly on?: KernelMemory;
  /** Of keys and values. */
  readonly dtype?: KvDtype;
}

function attend(given: Case, { parts = [{}], on = memory, dtype = 'f32' }: Call = {}): Float32Array {
  const { rows, first, heads, keySize, valueSize, window } = given;
  on.clear();
  // Rows and positions are further apart than they are long; what lies between is NaN.
  const [qStride, outStride, keyStride, valueStride] = [heads * keySize + 4, heads * valueSize + 8, keySize + 4, valueSize + 12];
  const spread = (values: Float32Array, width: number, stride: number): number => {
    const wide = new Float32Array((values.length / width) * stride).fill(NaN);
    for (let row = 0; row * width < values.length; row++) wide.set(values.subarray(row * width, (row + 1) * width), row * stride);
    return on.put(wide);
  };
  const kept = (numbers: Float32Array, width: number, stride: number): number => {
    const [count, from] = [(numbers.length / width) * stride, spread(numbers, width, stride)];
    const to = on.room(count);
    on.kernels[KEPT[dtype].copyRows](from, count, to, count, 1, count);
    return to;
  };
  const [q, keys, values] = [spread(given.q, heads * keySize, qStride), kept(given.keys, keySize, keyStride), kept(given.values, valueSize, valueStride)];
  const out = on.room(rows * outStride);
  const scratch = on.room(on.kernels.attentionScratchBytes(rows, heads, keySize) / 4);
  for (const part of parts) {
    const [row, head] = [part.fromRow ?? 0, part.fromHead ?? 0];
    on.kernels[KEPT[dtype].attention](
      q + 4 * (row * qStride + head * keySize), qStride, out + 4 * (row * outStride + head * valueSize), outStride, part.rows ?? rows - row, first + row,
      part.heads ?? heads - head, keySize, valueSize, keys, keyStride, values, valueStride, window, scoreScale(keySize), scratch,
    );
  }
  const result = new Float32Array(rows * heads * valueSize);
  for (let row = 0; row < rows; row++) result.set(on.read(out + 4 * row * outStride, heads * valueSize), row * heads * valueSize);
  return result;
}

function reference({ rows, first, heads, keySize, valueSize, window, q, keys, values }: Case): Float64Array {
  const out = new Float64Array(rows * heads * valueSize);
  for (let query = 0; query < rows * heads; query++) {
    const end = first + Math.floor(query / heads) + 1;
    const start = window === 0 ? 0 : Math.max(0, end - window);
    const scores = Array.from({ length: end - start }, (_, i) => {
      let dot = 0;
      for (let d = 0; d < keySize; d++) dot += q[query * keySize + d]! * keys[(start + i) * keySize + d]!;
      return dot * scoreScale(keySize);
    });
    const weights = scores.map((score) => Math.exp(score - Math.max(...scores)));
    const sum = weights.reduce((a, b) => a + b);
    for (let d = 0; d < valueSize; d++) out[query * valueSize + d] = weights.reduce((total, weight, i) => total + (weight / sum) * values[(start + i) * valueSize + d]!, 0);
  }
  return out;
}

const furthest = (values: Float32Array, expected: ArrayLike<number>): number => values.reduce((worst, value, i) => Math.max(worst, Math.abs(value - expected[i]!)), 0);
const bits = (values: Float32Array): Uint32Array => new Uint32Array(values.buffer, values.byteOffset, values.length);

describe('attention', () => {
  it('is what float64 gives, for any shape, stride and window', () => {
    fc.assert(
      fc.property(cases, (given) => {
        expect(furthest(attend(given), reference(given))).toBeLessThan(2e-5);
      }),
    );
  });

  for (const [name, shape] of Object.entries({
    'grouped queries': { rows: 1, first: 1999, heads: 4, keySize: 64, valueSize: 64, window: 0 },
    'latent attention': { rows: 2, first: 130, heads: 16, keySize: 576, valueSize: 512, window: 0 },
    'a prompt': { rows: 70, first: 60, heads: 4, keySize: 128, valueSize: 128, window: 0 },
    'the smallest heads': { rows: 3, first: 9, heads: 2, keySize: 4, valueSize: 4, window: 0 },
    'a window of one': { rows: 5, first: 62, heads: 3, keySize: 8, valueSize: 12, window: 1 },
    'a window that is larger than the context': { rows: 5, first: 62, heads: 3, keySize: 8, valueSize: 12, window: 4096 },
    'one position': { rows: 1, first: 0, heads: 1, keySize: 8, valueSize: 8, window: 0 },
  } satisfies Record<string, Shape>)) {
    it(`is what float64 gives for ${name}`, () => {
      const given = fill(shape, 7);
      expect(furthest(attend(given), reference(given))).toBeLessThan(2e-6);
    });
  }

  it('reads values that are a part of the keys, as in latent attention', () => {
    const given = fill({ rows: 3, first: 70, heads: 5, keySize: 48, valueSize: 32, window: 0 }, 3);
    const values = Float32Array.from({ length: 73 * 32 }, (_, i) => given.keys[Math.floor(i / 32) * 48 + (i % 32)]!);
    memory.clear();
    const [q, keys, out, scratch] = [memory.put(given.q), memory.put(given.keys), memory.room(3 * 5 * 32), memory.room(memory.kernels.attentionScratchBytes(3, 5, 48) / 4)];
    memory.kernels.attention(q, 240, out, 160, 3, 70, 5, 48, 32, keys, 48, keys, 48, 0, scoreScale(48), scratch);
    expect(furthest(memory.read(out, 480), reference({ ...given, values }))).toBeLessThan(2e-6);
  });

  it('gives a row the same bits alone and with others, however rows and heads are split over calls', () => {
    fc.assert(
      fc.property(cases, fc.nat(19), fc.nat(8), (given, row, head) => {
        const [rows, heads] = [Math.min(row, given.rows - 1), Math.min(head, given.heads - 1)];
        const parts = [{ rows, heads }, { rows, fromHead: heads }, { fromRow: rows, heads }, { fromRow: rows, fromHead: heads }];
        const split = attend(given, { parts: parts.filter((part) => part.rows !== 0 && part.heads !== 0) });
        expect(bits(split)).toEqual(bits(attend(given)));
      }),
    );
  });

  it('over bfloat16 gives the bits that these numbers give as float32', () => {
    const rounded = (numbers: Float32Array): Float32Array => numbers.map((value) => fromBf16(toBf16(value)));
    fc.assert(
      fc.property(cases, (given) => {
        expect(bits(attend(given, { dtype: 'bf16' }))).toEqual(bits(attend({ ...given, keys: rounded(given.keys), values: rounded(given.values) })));
      }),
    );
  });

  it.each(KV_DTYPES)('over %s gives the same bits with and without operations on 256 bits', (dtype) => {
    const narrow = new KernelMemory({ wide: false }, 1 << 25);
    fc.assert(
      fc.property(cases, (given) => {
        expect(bits(attend(given, { dtype, on: narrow }))).toEqual(bits(attend(given, { dtype })));
      }),
    );
  });

  it('weighs by scores of ten thousand without overflow', () => {
    // The score is 10,000 at three positions and -10,000 at all others.
    const keys = new Float32Array(100 * 4).fill(-1);
    [3, 64, 99].forEach((position) => (keys[position * 4] = 1));
    const q = Float32Array.of(20_000, 0, 0, 0);
    const given = { rows: 1, first: 99, heads: 1, keySize: 4, valueSize: 4, window: 0, q, keys, values: randomFloats(400, 1) };
    expect(furthest(attend(given), reference(given))).toBeLessThan(1e-6);
  });

  it('has weights that are exact to 3e-7 over the whole range of exp', () => {
    for (let score = 0; score < 87; score += 0.37) {
      const given = { rows: 1, first: 1, heads: 1, keySize: 4, valueSize: 4, window: 0, q: Float32Array.of(-2 * score, 0, 0, 0), keys: Float32Array.of(0, 0, 0, 0, 1, 0, 0, 0), values: Float32Array.of(0, 0, 0, 0, 1, 1, 1, 1) };
      const expected = 1 / (1 + Math.exp(-Math.fround(given.q[0]! * 0.5)));
      expect(Math.abs(attend(given)[0]! / expected - 1)).toBeLessThan(3e-7);
    }
  });

  it.each(KV_DTYPES)('over %s keeps NaN of a query in its row, and NaN of a key or value in the rows that see it', (dtype) => {
    const shape = { rows: 6, first: 62, heads: 3, keySize: 16, valueSize: 8, window: 3 };
    const bad = (poison: (given: Case) => void): boolean[] => {
      const given = fill(shape, 5);
      poison(given);
      const out = attend(given, { dtype });
      return Array.from({ length: 6 }, (_, row) => {
        const isNaNs = Array.from(out.subarray(row * 24, (row + 1) * 24), Number.isNaN);
        expect(new Set(isNaNs).size).toBe(1);
        return isNaNs[0]!;
      });
    };
    expect(bad(({ q }) => q.fill(NaN, 48, 96))).toEqual([false, true, false, false, false, false]);
    expect(bad(({ keys }) => (keys[64 * 16] = NaN))).toEqual([false, false, true, true, true, false]);
    expect(bad(({ values }) => values.fill(NaN, 65 * 8, 66 * 8))).toEqual([false, false, false, true, true, true]);
  });
});
