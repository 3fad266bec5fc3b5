import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHUNK_TOKENS, type Prefixed, PrefixIndex } from './prefix-index.ts';

/** Few different tokens and long runs of the same one, so that many sequences begin alike. */
const tokenIds = fc.array(fc.tuple(fc.nat(1), fc.integer({ min: 1, max: 2 * CHUNK_TOKENS })), { maxLength: 5 }).map((runs) => runs.flatMap(([id, count]) => new Array<number>(count).fill(id)));

function shared(left: readonly number[], right: readonly number[]): number {
  const different = left.findIndex((id, index) => id !== right[index]);
  return different < 0 ? Math.min(left.length, right.length) : different;
}

const chunks = (tokens: number): number => Math.floor(tokens / CHUNK_TOKENS);

describe('a prefix index', () => {
  it('finds a holder that shares as many chunks as any does, and exactly the tokens that it shares', () => {
    fc.assert(fc.property(fc.array(tokenIds, { maxLength: 8 }), tokenIds, (held, asked) => {
      const index = new PrefixIndex<Prefixed>();
      const holders = held.map((ids) => ({ tokenIds: ids }));
      for (const holder of holders) index.update(holder);
      index.checkIntegrity(holders);
      const most = Math.max(0, ...held.map((ids) => chunks(shared(ids, asked))));
      const found = index.longest(asked);
      expect(chunks(found?.count ?? 0)).toBe(most);
      if (found !== null) expect(found.count).toBe(shared(found.holder.tokenIds, asked));
    }));
  });

  it('finds what a holder has become, and nothing of one that is removed', () => {
    const growing = { tokenIds: [] as number[] };
    const other = { tokenIds: new Array<number>(CHUNK_TOKENS).fill(7) };
    const index = new PrefixIndex<Prefixed>();
    for (const holder of [growing, other]) index.update(holder);
    for (let count = 1; count <= 3 * CHUNK_TOKENS; count++) {
      growing.tokenIds.push(7);
      index.update(growing);
    }
    const asked = new Array<number>(100).fill(7);
    expect(index.longest(asked)).toEqual({ holder: growing, count: 3 * CHUNK_TOKENS });
    index.remove(growing);
    expect(index.longest(asked)).toEqual({ holder: other, count: CHUNK_TOKENS });
    index.remove(other);
    expect(index.longest(asked)).toBeNull();
    index.checkIntegrity([]);
  });

  it('prefers the holder that goes on alike, and of several the one that is here longest, so that one of many stays in use', () => {
    const index = new PrefixIndex<Prefixed>();
    const holders = [[1], [2, 3], [2, 4]].map((last) => ({ tokenIds: [...new Array<number>(CHUNK_TOKENS).fill(7), ...last] }));
    for (const holder of holders) index.update(holder);
    const found = (last: readonly number[]) => index.longest([...new Array<number>(CHUNK_TOKENS).fill(7), ...last])?.holder;
    expect([found([]), found([2]), found([2, 4])]).toEqual(holders);
  });
});
