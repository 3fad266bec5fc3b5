import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type TensorView } from '@essaim/core';
import { columnSlice, rowChunks, rowSlice, stack } from './row-chunks.ts';

/** A matrix whose values count; how many rows each read took is remembered. */
function counting(rows: number, columns: number, reads: number[] = []): TensorView {
  return {
    name: 'counting', rows, columns, dtype: 'f32', fingerprint: () => Promise.resolve('counting'),
    read: (first, count) => {
      reads.push(count);
      return Promise.resolve(Float32Array.from({ length: count * columns }, (_, index) => first * columns + index));
    },
  };
}

async function valuesOf(view: TensorView): Promise<number[]> {
  const values: number[] = [];
  for await (const chunk of rowChunks(stack(view))) values.push(...chunk);
  return values;
}

describe('rows in chunks', () => {
  it('are at most four megabytes, whole multiples where asked, and together every row of every matrix', async () => {
    for (const [rows, columns, multiple] of [[700, 4096, 1], [700, 4096, 16], [300, 5000, 16], [1, 10, 16]] as const) {
      const reads: number[] = [];
      let values = 0;
      for await (const chunk of rowChunks(stack(counting(rows, columns, reads), counting(5, columns, reads)), multiple)) values += chunk.length;
      expect(values).toBe((rows + 5) * columns);
      for (const count of reads) expect(count * columns * 4).toBeLessThanOrEqual(4 << 20);
      // The last of each matrix is what remains.
      expect(reads.slice(0, -2).every((count) => count % multiple === 0)).toBe(true);
    }
  });

  it('take one multiple at a time where that is more', async () => {
    const reads: number[] = [];
    for await (const _ of rowChunks(stack(counting(40, 100_000, reads)), 16));
    expect(reads).toEqual([16, 16, 8]);
  });

  it('of another width are not stacked', () => {
    expect(() => stack(counting(1, 2), counting(1, 3))).toThrow('one width');
  });
});

describe('slices', () => {
  const shape = fc.record({ rows: fc.integer({ min: 1, max: 12 }), columns: fc.integer({ min: 1, max: 12 }), of: fc.integer({ min: 1, max: 5 }) });

  it('of rows are the matrix, one after the other', async () => {
    await fc.assert(fc.asyncProperty(shape, async ({ rows, columns, of }) => {
      const view = counting(rows, columns);
      const parts = await Promise.all(Array.from({ length: of }, (_, index) => valuesOf(rowSlice(view, { index, of }))));
      expect(parts.flat()).toEqual(await valuesOf(view));
    }));
  });

  it('of columns are the matrix, side by side', async () => {
    await fc.assert(fc.asyncProperty(shape, async ({ rows, columns, of }) => {
      const view = counting(rows, columns);
      const slices = Array.from({ length: of }, (_, index) => columnSlice(view, { index, of }));
      const parts = await Promise.all(slices.map(valuesOf));
      const joined = Array.from({ length: rows }, (_, row) => parts.map((part, nth) => part.slice(row * slices[nth]!.columns, (row + 1) * slices[nth]!.columns)));
      expect(joined.flat(2)).toEqual(await valuesOf(view));
    }));
  });

  it('have fingerprints of their own', async () => {
    const view = counting(4, 4);
    const prints = await Promise.all([view, rowSlice(view, { index: 0, of: 2 }), rowSlice(view, { index: 1, of: 2 }), columnSlice(view, { index: 0, of: 2 })].map((each) => each.fingerprint()));
    expect(new Set(prints).size).toBe(4);
  });
});
