import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KV_DTYPES, type KvDtype } from '@essaim/core';
import { compute, computedTokens, layoutIn, TOKEN_BYTES } from '../test/rows.ts';
import { kvBytesPerToken } from './kv-layout.ts';
import { KvPool } from './kv-pool.ts';

const tokens = (count: number, first = 1): number[] => Array.from({ length: count }, (_, index) => first + index);
/** Unlike any other text. */
const text = (nth: number, count: number): number[] => tokens(count, 1_000 * (nth + 1));

function create(budgetTokens: number, dtype: KvDtype = 'f32'): KvPool {
  const layout = layoutIn(dtype);
  return new KvPool(layout, budgetTokens * kvBytesPerToken(layout));
}

/** A sequence that begins with what the pool knows, computes the rest and ends. Returns how many tokens were known. */
function run(pool: KvPool, tokenIds: readonly number[]): number {
  const cache = pool.reserve(tokenIds.length, tokenIds.slice(0, -1))!;
  const known = cache.length;
  compute(cache, tokenIds.slice(known));
  expect(computedTokens(cache)).toEqual(tokenIds);
  cache.keep();
  pool.checkIntegrity();
  return known;
}

/** How many leading tokens the pool knows. Changes only what was used last. */
function known(pool: KvPool, tokenIds: readonly number[]): number {
  const cache = pool.reserve(tokenIds.length, tokenIds)!;
  cache.release();
  return cache.length;
}

describe('a pool keeps what was computed', () => {
  it.each(KV_DTYPES)('for a sequence that begins alike: it starts with the same keys and values, to the token, in %s', (dtype) => {
    const pool = create(1_000, dtype);
    expect(run(pool, tokens(100))).toBe(0);
    expect(run(pool, tokens(100))).toBe(99);
    expect(run(pool, [...tokens(70), 500, 501])).toBe(70);
    expect(run(pool, tokens(31))).toBe(0);
    expect(run(pool, tokens(100, 2))).toBe(0);
  });

  it('also of a sequence that still runs, as far as it has come, at any time', () => {
    const pool = create(1_000);
    const [ahead, behind] = [pool.reserve(200)!, pool.reserve(200)!];
    compute(ahead, tokens(50));
    compute(behind, tokens(10));
    pool.extend(behind, tokens(150));
    expect(computedTokens(behind)).toEqual(tokens(50));
    compute(ahead, tokens(100, 51));
    pool.extend(behind, tokens(150));
    expect(computedTokens(behind)).toEqual(tokens(150));
    pool.extend(ahead, tokens(150));
    expect(ahead.length).toBe(150);
  });

  it('not of a sequence that failed', () => {
    const pool = create(1_000);
    const failed = pool.reserve(100)!;
    compute(failed, tokens(100));
    failed.release();
    expect(run(pool, tokens(100))).toBe(0);
  });

  it('once: what is the beginning of another is not kept beside it', () => {
    const pool = create(10_000);
    run(pool, tokens(100));
    const once = pool.keptBytes;
    run(pool, tokens(100));
    run(pool, tokens(60));
    expect(pool.keptBytes).toBe(once);
    run(pool, tokens(200));
    expect(pool.keptBytes).toBe(2 * once);
  });
});

describe('what is kept gives way', () => {
  it('never refuses a sequence that would fit without it', () => {
    const pool = create(300);
    for (let nth = 0; nth < 3; nth++) run(pool, text(nth, 100));
    expect([pool.usedBytes, pool.keptBytes]).toEqual([0, 300 * TOKEN_BYTES]);
    const large = pool.reserve(300);
    expect([large === null, pool.usedBytes, pool.keptBytes]).toEqual([false, 300 * TOKEN_BYTES, 0]);
    pool.checkIntegrity();
  });

  it('the least recently used first', () => {
    const pool = create(340);
    for (let nth = 0; nth < 3; nth++) run(pool, text(nth, 100));
    expect(known(pool, text(0, 40))).toBe(40);
    run(pool, text(3, 100));
    expect([0, 1, 2, 3].map((nth) => known(pool, text(nth, 40)))).toEqual([40, 0, 40, 40]);
  });

  it('to the sequence that begins with it, which copies it first', () => {
    const pool = create(250);
    run(pool, tokens(150));
    expect(run(pool, tokens(250))).toBe(150);
  });

  it('to the newest when there are too many, however small they are', () => {
    const pool = create(1_000_000);
    for (let nth = 0; nth < 1_025; nth++) run(pool, text(nth, 32));
    expect([known(pool, text(0, 40)), known(pool, text(1, 40))]).toEqual([0, 32]);
  });

  it.each(KV_DTYPES)('and whatever happens nothing is lost, doubled or over the budget, and keys and values are those of their tokens, in %s', (dtype) => {
    const act = fc.record({ text: fc.nat(3), count: fc.integer({ min: 1, max: 120 }), end: fc.constantFrom('keep', 'release', 'stay') });
    fc.assert(fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
      const pool = create(400, dtype);
      for (const { text: nth, count, end } of acts) {
        const tokenIds = [...tokens(40), ...text(nth, count)];
        const cache = pool.reserve(tokenIds.length, tokenIds.slice(0, -1));
        if (cache === null) continue;
        compute(cache, tokenIds.slice(cache.length));
        expect(computedTokens(cache)).toEqual(tokenIds);
        if (end === 'keep') cache.keep();
        if (end === 'release') cache.release();
        pool.checkIntegrity();
      }
    }));
  });
});
