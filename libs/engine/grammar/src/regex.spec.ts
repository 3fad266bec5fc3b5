import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accepts } from '../test/answers.ts';

const letters = fc.constantFrom('a', 'b', 'c', 'é', '🙂', '\n', '-', '1', ' ');
const atom = fc.constantFrom('a', 'b', 'c', 'é', '🙂', '.', '[ab]', '[^a]', '[a-c1]', '[^\\dé]', '\\d', '\\w', '\\s', '\\S', '\\.', '\\x61', '\\u00e9', '\\u{1F642}', '[\\]\\-a]', '\\n');
const quantifier = fc.constantFrom('', '', '', '*', '+', '?', '{2}', '{1,}', '{0,3}', '*?', '{1,2}?');
const { pattern } = fc.letrec<{ pattern: string; part: string }>((tie) => ({
  part: fc.oneof({ depthSize: 'small', withCrossShrink: true }, fc.tuple(atom, quantifier).map((both) => both.join('')), fc.tuple(tie('pattern'), quantifier, fc.constantFrom('(', '(?:', '(?<x>')).map(([body, count, head]) => `${head}${body})${count}`)),
  pattern: fc.array(fc.array(tie('part'), { maxLength: 4 }).map((parts) => parts.join('')), { minLength: 1, maxLength: 3 }).map((alternatives) => alternatives.join('|')),
}));
/** A name may come once, and JavaScript takes for ever for what is long and nested. */
const isFair = (source: string): boolean => (source.match(/\?</g)?.length ?? 0) <= 1 && source.length <= 60;

describe('a regular expression', () => {
  it('takes the texts that JavaScript matches as a whole, and no others', () => {
    let matched = 0;
    fc.assert(fc.property(pattern.filter(isFair), fc.array(fc.array(letters, { maxLength: 6 }).map((parts) => parts.join('')), { minLength: 12 }), (source, texts) => {
      const expected = new RegExp(`^(?:${source})$`, 'u');
      for (const text of texts) {
        if (expected.test(text)) matched++;
        expect([source, text, accepts({ kind: 'regex', pattern: source }, text)]).toEqual([source, text, expected.test(text)]);
      }
    }), { numRuns: 300 });
    expect(matched).toBeGreaterThan(100);
  });

  it.each(['^abc$', 'abc$', '^abc', '^abc$|^x$', '(?P<name>abc)'])('says with %s what it says without', (source) => {
    expect([accepts({ kind: 'regex', pattern: source }, 'abc'), accepts({ kind: 'regex', pattern: source }, 'abcd')]).toEqual([true, false]);
  });

  it.each([
    ['(a', 'opening parenthesis'], ['a)', 'closing parenthesis'], ['[a', '[ without ]'], ['*a', 'repeats nothing'], ['a**', 'two repetitions'], ['a{3,2}', 'begins no count'], ['a{x}', 'begins no count'],
    ['(?=a)b', 'looks ahead'], ['(?<!a)b', 'looks behind'], ['(?>a)', 'atomic'], ['(a)\\1', 'goes back to a group'], ['\\bword', '\\b'], ['\\p{L}', '\\p'], ['a^b', '^ behind its beginning'], ['a$b', '$ before its end'],
    ['(a|^b)', '^ or $ inside a group'], ['(?i)a', 'flag'], ['[b-a]', 'range'], ['a\\', 'backslash'], ['\\ud800', 'names no character'], [`${'('.repeat(101)}a${')'.repeat(101)}`, 'deep'],
  ])('refuses %s with one sentence', (source, reason) => {
    expect(() => accepts({ kind: 'regex', pattern: source }, '')).toThrow(expect.objectContaining({ code: 'invalid_argument', message: expect.stringContaining(reason) as string }) as Error);
  });
});
