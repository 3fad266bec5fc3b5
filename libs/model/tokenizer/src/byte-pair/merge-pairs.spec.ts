import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergePairs } from './merge-pairs.ts';

const everyLetter = (text: string): Uint32Array => Uint32Array.from(text, (_, place) => place);
const merge = (text: string, ranks: ReadonlyMap<string, number>): string[] => mergePairs(text, everyLetter(text), (piece) => ranks.get(piece));

/** As the definition says it: look at all neighbours, join the best, again. */
function naive(text: string, ranks: ReadonlyMap<string, number>): string[] {
  const symbols = [...text];
  for (;;) {
    const joins = symbols.slice(1).map((symbol, index) => ranks.get(symbols[index]! + symbol) ?? Infinity);
    const best = Math.min(...joins);
    if (best === Infinity) return symbols;
    const left = joins.indexOf(best);
    symbols.splice(left, 2, symbols[left]! + symbols[left + 1]!);
  }
}

describe('mergePairs', () => {
  it('joins as the definition says, for any pieces, also with equal ranks', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 2, maxLength: 4 });
    const ranks = fc.array(fc.tuple(word, fc.nat(6)), { maxLength: 15 }).map((entries) => new Map(entries));
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 30 }), ranks, (text, pieces) => {
      expect(merge(text, pieces)).toEqual(naive(text, pieces));
    }), { numRuns: 2_000 });
  });

  it('begins with symbols of more than one letter where told', () => {
    expect(mergePairs('🙂🙂a', Uint32Array.of(0, 2, 4), (piece) => (piece === '🙂a' ? 0 : undefined))).toEqual(['🙂', '🙂a']);
  });

  it('makes nothing of nothing', () => {
    expect(merge('', new Map())).toEqual([]);
  });

  it('looks pieces up in proportion to the length of a run, not to its square', () => {
    const ranks = new Map([['aa', 0], ['aaaa', 1], ['aaaaaaaa', 2]]);
    const text = 'a'.repeat(100_000);
    let lookups = 0;
    const pieces = mergePairs(text, everyLetter(text), (piece) => {
      lookups++;
      return ranks.get(piece);
    });
    expect(pieces).toHaveLength(12_500);
    expect(lookups).toBeLessThan(4 * text.length);
  });
});
