import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '@essaim/core';
import { LAYOUT, matrix, TOKEN_BYTES } from '../test/rows.ts';
import { type KvCache } from './kv-cache.ts';
import { heapMemory } from './kv-layout.ts';
import { KvPool } from './kv-pool.ts';

function appendAll(cache: KvCache, count: number): void {
  for (let layer = 0; layer < LAYOUT.layerCount; layer++) {
    cache.append(layer, count, { keys: matrix(count, LAYOUT.keyWidth, cache.length), values: matrix(count, LAYOUT.valueWidth, cache.length + 0.5) });
  }
  cache.commit(Array.from({ length: count }, (_, index) => cache.length + index));
}

describe('a KV pool', () => {
  it('reserves up to its budget, refuses past it, and has room again when something is released', () => {
    const pool = new KvPool(LAYOUT, 10 * TOKEN_BYTES);
    const first = pool.reserve(6)!;
    expect(pool.reserve(5)).toBeNull();
    expect(pool.reserve(4)).not.toBeNull();
    first.release();
    expect(pool.usedBytes).toBe(4 * TOKEN_BYTES);
    expect(pool.reserve(6)).not.toBeNull();
    pool.checkIntegrity();
  });

  it('knows what it could never hold', () => {
    const pool = new KvPool(LAYOUT, 10 * TOKEN_BYTES);
    expect([10, 11].map((tokens) => pool.couldEverHold(tokens))).toEqual([true, false]);
  });

  it('does not let a sequence in that is larger than what its memory gives at once', () => {
    const pool = new KvPool(LAYOUT, 10 * TOKEN_BYTES, { ...heapMemory(LAYOUT), mostBytes: (4 * TOKEN_BYTES) / LAYOUT.layerCount });
    expect([4, 5].map((tokens) => pool.couldEverHold(tokens))).toEqual([true, false]);
    expect(pool.canReserve(4)).toBe(true);
  });

  it('counts exactly what is open, whatever the order of reserving and releasing', () => {
    fc.assert(fc.property(fc.array(fc.oneof(fc.nat(12).map((tokens) => ({ tokens })), fc.nat(20).map((release) => ({ release }))), { maxLength: 60 }), (acts) => {
      const pool = new KvPool(LAYOUT, 40 * TOKEN_BYTES);
      const open: KvCache[] = [];
      for (const act of acts) {
        if ('tokens' in act) {
          const cache = pool.reserve(act.tokens);
          if (cache !== null) open.push(cache);
        } else {
          open.splice(act.release, 1)[0]?.release();
        }
        pool.checkIntegrity();
        expect(pool.usedBytes).toBe(open.reduce((sum, { maxTokens }) => sum + maxTokens, 0) * TOKEN_BYTES);
        expect(pool.usedBytes).toBeLessThanOrEqual(pool.budgetBytes);
      }
    }));
  });

  it('refuses to release a cache twice', () => {
    const cache = new KvPool(LAYOUT, 10 * TOKEN_BYTES).reserve(1)!;
    cache.release();
    expect(() => cache.release()).toThrow('released once');
  });
});

describe('a KV cache', () => {
  it('gives back every position that was appended, however the appends were cut', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 6 }), (counts) => {
      const total = counts.reduce((sum, count) => sum + count, 0);
      const cache = new KvPool(LAYOUT, total * TOKEN_BYTES).reserve(total)!;
      for (const count of counts) appendAll(cache, count);
      expect(cache.length).toBe(total);
      for (let layer = 0; layer < LAYOUT.layerCount; layer++) {
        expect(cache.keys(layer, 0, total)).toEqual(matrix(total, LAYOUT.keyWidth, 0));
        expect(cache.values(layer, total - 1, total)).toEqual(matrix(1, LAYOUT.valueWidth, total - 0.5));
      }
    }));
  });

  it('shows appended tokens before they are committed and drops them when they never are', () => {
    const cache = new KvPool(LAYOUT, 10 * TOKEN_BYTES).reserve(10)!;
    appendAll(cache, 2);
    cache.append(0, 1, { keys: matrix(1, 3, 7), values: matrix(1, 2, 7) });
    expect(cache.keys(0, 2, 3)).toEqual(matrix(1, 3, 7));
    expect(cache.length).toBe(2);
    cache.append(0, 1, { keys: matrix(1, 3, 8), values: matrix(1, 2, 8) });
    expect(cache.keys(0, 2, 3)).toEqual(matrix(1, 3, 8));
  });

  it('that finds no memory for one of its layers keeps what it has, and takes none', () => {
    const taken: Uint8Array[] = [];
    const bytes = 1000 * TOKEN_BYTES;
    const pool = new KvPool(LAYOUT, bytes, {
      mostBytes: bytes,
      take: (count) => {
        if (taken.length > LAYOUT.layerCount) throw new AppError('resource_exhausted', 'no more');
        const memory = new Uint8Array(count);
        taken.push(memory);
        return memory;
      },
      give: (memory) => void taken.splice(taken.indexOf(memory), 1),
    });
    const cache = pool.reserve(500)!;
    appendAll(cache, 3);
    expect(() => cache.prepare(300)).toThrow('no more');
    expect([taken.length, cache.length]).toEqual([LAYOUT.layerCount, 3]);
    expect(cache.keys(1, 0, 3)).toEqual(matrix(3, LAYOUT.keyWidth, 0));
    cache.release();
    expect(taken).toEqual([]);
  });

  it('takes memory for a prompt and a short answer at once, in whatever steps they are computed, and for a long answer as it grows', () => {
    const takesOf = (maxTokens: number, steps: readonly number[]): number[] => {
      const takes: number[] = [];
      const heap = heapMemory(LAYOUT);
      const pool = new KvPool(LAYOUT, 10_000 * TOKEN_BYTES, { ...heap, take: (bytes) => (takes.push((bytes * LAYOUT.layerCount) / TOKEN_BYTES), heap.take(bytes)) });
      const cache = pool.reserve(maxTokens, Array.from({ length: 300 }, (_, id) => id))!;
      for (const count of steps) appendAll(cache, count);
      return takes.filter((_, nth) => nth % LAYOUT.layerCount === 0);
    };
    expect(takesOf(400, [100, 100, 100, 50, 50])).toEqual([400]);
    expect(takesOf(1000, [100, 100, 100, 64])).toEqual([364]);
    expect(takesOf(1000, [300, 64, 1])).toEqual([364, 1000]);
  });

  it('never grows past what was reserved', () => {
    const cache = new KvPool(LAYOUT, 10 * TOKEN_BYTES).reserve(1)!;
    expect(() => cache.append(0, 2, { keys: matrix(2, 3, 0), values: matrix(2, 2, 0) })).toThrow('reserved for 1 tokens');
  });
});
