import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePythonJson, pythonJson } from './python-json.ts';

const again = (text: string): string => pythonJson(parsePythonJson(text));

describe('pythonJson', () => {
  it('puts a space after commas and colons, and leaves other characters than controls as they are', () => {
    expect(pythonJson({ a: [1, 'é\n"\u0001\u007f\u2028'], b: {}, c: [], d: null, e: true, f: 10n })).toBe('{"a": [1, "é\\n\\"\\u0001\u007f\u2028"], "b": {}, "c": [], "d": null, "e": true, "f": 10}');
  });

  // As `json.dumps(json.loads(text))` of CPython 3.11 gives them.
  it.each([
    ['1.0', '1.0'], ['1', '1'], ['-0', '0'], ['-0.0', '-0.0'], ['1e5', '100000.0'], ['1.50', '1.5'], ['12345678901234567890', '12345678901234567890'],
    ['1e16', '1e+16'], ['123456789012345.0', '123456789012345.0'], ['1e-5', '1e-05'], ['0.0001', '0.0001'], ['1.5e300', '1.5e+300'], ['0e0', '0.0'],
  ])('keeps the number %s of a text as Python does', (text, expected) => {
    expect(again(text)).toBe(expected);
  });

  it('means the same as the text that it was read from', () => {
    fc.assert(fc.property(fc.json(), (text) => {
      expect(JSON.parse(again(text))).toEqual(JSON.parse(text));
    }));
  });

  it('keeps a key that JavaScript has a meaning for', () => {
    expect(again('{"__proto__":1}')).toBe('{"__proto__": 1}');
  });

  it('knows what is no JSON', () => {
    expect(['', '{', 'x', "{'a': 1}"].map(parsePythonJson)).toEqual([undefined, undefined, undefined, undefined]);
    expect(parsePythonJson('null')).toBeNull();
  });
});
