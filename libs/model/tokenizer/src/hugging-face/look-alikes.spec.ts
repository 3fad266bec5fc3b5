import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LookAlikes, unusedMark } from './look-alikes.ts';

const MARK = '\uFDD0';
const letters = (minLength: number, maxLength: number): fc.Arbitrary<string> => fc.string({ unit: fc.constantFrom('<', 'a', '>'), minLength, maxLength });

describe('LookAlikes', () => {
  it('lets no name begin or end in a client\'s words, whatever a template writes around them', () => {
    const names = fc.array(letters(2, 4), { minLength: 1, maxLength: 4 });
    const parts = fc.array(fc.record({ mine: fc.boolean(), text: letters(0, 6) }), { maxLength: 6 });
    fc.assert(fc.property(names, parts, (specials, layout) => {
      const lookAlikes = new LookAlikes(specials);
      const written = layout.map(({ mine, text }) => ({ mine, text: mine ? lookAlikes.break(text, MARK) : text }));
      const prompt = written.map(({ text }) => text).join('');
      const isMine = written.flatMap(({ mine, text }) => Array.from(text, () => mine));
      for (const name of specials) {
        for (let start = prompt.indexOf(name); start !== -1; start = prompt.indexOf(name, start + 1)) expect([isMine[start], isMine[start + name.length - 1]]).toEqual([false, false]);
      }
    }), { numRuns: 3_000 });
  });

  it('gives the words back when the marks are taken out', () => {
    fc.assert(fc.property(fc.array(letters(2, 4), { maxLength: 4 }), letters(0, 30), (specials, text) => {
      expect(new LookAlikes(specials).break(text, MARK).replaceAll(MARK, '')).toBe(text);
    }));
  });

  it('leaves words alone that look like nothing', () => {
    expect(new LookAlikes(['<s>', '</s>']).break('a < b, c > d: <a>', MARK)).toBe('a < b, c > d: <a>');
    expect(new LookAlikes([]).break('<s>', MARK)).toBe('<s>');
  });
});

it('unusedMark finds a character that is in none of the texts, while there is one', () => {
  const all = Array.from({ length: 32 }, (_, index) => String.fromCodePoint(0xfdd0 + index));
  expect(unusedMark(['a', `b${all[0]}`])).toBe(all[1]);
  expect(unusedMark([all.join('')])).toBeNull();
});
