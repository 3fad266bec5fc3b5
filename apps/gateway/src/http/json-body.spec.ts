import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJsonBody } from './json-body.ts';

const sentenceOf = (text: string): string => {
  try {
    parseJsonBody(text);
  } catch (thrown) {
    return (thrown as Error).message;
  }
  return 'valid';
};

describe('parseJsonBody', () => {
  it.each([
    ['{"a": x}', 'line 1, column 7'],
    ['{"a": 1,\n "b": nux}', 'line 2, column 9'],
    ['{"a" 1}', 'line 1, column 6'],
    ['[1, 2', 'ends too early'],
    ['"abc', 'ends too early'],
    ['', 'ends too early'],
    ['{"a":1} x', 'line 1, column 9'],
  ])('says where %j is wrong', (text, where) => {
    expect(sentenceOf(text)).toBe(`the body is not valid JSON: ${where}${where.startsWith('line') ? ' is unexpected' : ''}`.replace('ends', 'it ends'));
  });

  it('finds a character that no JSON has, wherever it stands', () => {
    fc.assert(fc.property(fc.json(), fc.nat(), (text, at) => {
      const position = at % (text.length + 1);
      // Inside a string it would be text.
      fc.pre((text.slice(0, position).match(/(?<!\\)(\\\\)*"/g) ?? []).length % 2 === 0 && !text.slice(0, position).endsWith('\\'));
      const lines = text.slice(0, position).split('\n');
      expect(sentenceOf(`${text.slice(0, position)}§${text.slice(position)}`)).toContain(`line ${lines.length}, column ${lines.at(-1)!.length + 1}`);
    }));
  });

  it('never quotes what it was given', () => {
    expect(sentenceOf('{"prompt": "a secret", "n": oops}')).not.toMatch(/secret|oops/);
  });
});
