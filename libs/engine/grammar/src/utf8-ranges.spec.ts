import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allBut, characters, charactersOf, intersection, union } from './characters.ts';
import { utf8Ranges } from './utf8-ranges.ts';

const scalar = fc.oneof(fc.nat(0x10ffff), fc.constantFrom(0, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff)).filter((code) => code < 0xd800 || code > 0xdfff);
const setOf = fc.array(fc.tuple(scalar, scalar).map(([left, right]): [number, number] => [Math.min(left, right), Math.max(left, right)]), { maxLength: 5 }).map(characters);
const has = (set: readonly (readonly [number, number])[], code: number): boolean => set.some(([from, to]) => from <= code && code <= to);

describe('the UTF-8 of a range of characters', () => {
  it('is that of each of them, once, and of no other', () => {
    fc.assert(fc.property(setOf, fc.array(scalar, { minLength: 20 }), (set, codes) => {
      const sequences = set.flatMap(([from, to]) => utf8Ranges(from, to));
      for (const code of codes) {
        const bytes = [...new TextEncoder().encode(String.fromCodePoint(code))];
        const matching = sequences.filter((sequence) => sequence.length === bytes.length && sequence.every(([low, high], place) => low <= bytes[place]! && bytes[place]! <= high));
        expect(matching.length).toBe(has(set, code) ? 1 : 0);
      }
    }));
  });
});

describe('sets of characters', () => {
  it('have what is in either, in both, or in neither of two', () => {
    fc.assert(fc.property(setOf, setOf, scalar, (left, right, code) => {
      expect(has(union(left, right), code)).toBe(has(left, code) || has(right, code));
      expect(has(intersection(left, right), code)).toBe(has(left, code) && has(right, code));
      expect(has(allBut(left), code)).toBe(!has(left, code));
    }));
  });

  it('hold no surrogates', () => {
    expect([characters([[0xd7fe, 0xe001]]), charactersOf('a\ud800b')]).toEqual([[[0xd7fe, 0xd7ff], [0xe000, 0xe001]], [[97, 98]]]);
  });
});
