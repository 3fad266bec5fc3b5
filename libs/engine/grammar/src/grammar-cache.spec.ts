import { describe, expect, it } from 'vitest';
import { GrammarCache } from './grammar-cache.ts';

const regex = (pattern: string) => ({ kind: 'regex', pattern }) as const;

describe('the latest grammars', () => {
  it('are compiled once for the same constraint', () => {
    const cache = new GrammarCache();
    expect(cache.of(regex('a'))).toBe(cache.of(regex('a')));
    expect(cache.of(regex('b'))).not.toBe(cache.of(regex('a')));
  });

  it('push out the least recently used where they are many', () => {
    const cache = new GrammarCache();
    const [first, second] = [cache.of(regex('a')), cache.of(regex('b'))];
    for (let count = 0; count < 30; count++) cache.of(regex(`x${count}`));
    expect(cache.of(regex('a'))).toBe(first);
    cache.of(regex('y'));
    expect([cache.of(regex('a')) === first, cache.of(regex('b')) === second]).toEqual([true, false]);
  });

  it('push out others where they are large, and never themselves', () => {
    const cache = new GrammarCache();
    const large = (letter: string) => cache.of(regex(`${letter}{90000}`));
    const first = large('a');
    expect(large('a')).toBe(first);
    for (const letter of 'bcdef') expect(large(letter)).toBe(large(letter));
    expect(large('a')).not.toBe(first);
  });

  it('are none where a constraint can\'t be followed', () => {
    const cache = new GrammarCache();
    for (let asked = 0; asked < 2; asked++) expect(() => cache.of(regex('('))).toThrow('parenthesis');
  });
});
