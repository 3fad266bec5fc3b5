import { describe, expect, it } from 'vitest';
import { type TensorView } from '@essaim/core';
import { rowChunks, type Rows, splitRows, stack } from './row-chunks.ts';

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

describe('rows that are split', () => {
  it.each([[1, 12], [3, 4], [5, 3], [7, 2], [11, 2], [12, 1], [100, 1]])('at %i are the same rows in %i matrices', async (mostRows, count) => {
    const whole = stack(counting(7, 3), counting(5, 3));
    const parts = splitRows(whole, mostRows);
    expect(parts).toHaveLength(count);
    expect(parts.every(({ rows, views }) => rows <= mostRows && rows === views.reduce((sum, view) => sum + view.rows, 0))).toBe(true);
    const valuesOf = async (...matrices: readonly Rows[]): Promise<number[]> => {
      const values: number[] = [];
      for (const matrix of matrices) for await (const chunk of rowChunks(matrix)) values.push(...chunk);
      return values;
    };
    expect(await valuesOf(...parts)).toEqual(await valuesOf(whole));
  });

  it('are told apart', async () => {
    const views = splitRows(stack(counting(4, 3)), 2).flatMap((part) => part.views);
    expect(new Set(await Promise.all(views.map((view) => view.fingerprint()))).size).toBe(2);
  });
});

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
