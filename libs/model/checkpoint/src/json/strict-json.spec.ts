import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseStrictJson } from './strict-json.ts';

describe('parseStrictJson', () => {
  it('parses what JSON.parse parses', () => {
    fc.assert(fc.property(fc.jsonValue(), fc.nat(2), (value, spaces) => {
      const text = JSON.stringify(value, null, spaces);
      expect(parseStrictJson(text)).toEqual(JSON.parse(text));
    }));
  });

  it('refuses a key that occurs twice, wherever it stands between others and however it is escaped', () => {
    fc.assert(fc.property(fc.uniqueArray(fc.string(), { minLength: 1 }), fc.nat(), fc.nat(), (keys, from, to) => {
      const twice = keys[from % keys.length]!;
      const escaped = [...twice].map((character) => character.split('').map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')).join('');
      const members = keys.map((key) => `${JSON.stringify(key)} : {"a":"{\\"a\\":1"}`);
      members.splice(to % (members.length + 1), 0, `"${escaped}":[{"a":1},{"a":2}]`);
      expect(() => parseStrictJson(`{${members.join(' , ')}}`)).toThrow(`the key ${JSON.stringify(twice)} occurs twice`);
    }));
  });

  it('refuses a duplicate in an inner object', () => {
    expect(() => parseStrictJson('{"t": {"shape": [1], "dtype": "F32", "shape": [2]}}')).toThrow('the key "shape" occurs twice in one object');
  });

  it('lets one key occur in several objects, and braces in strings', () => {
    expect(parseStrictJson('{"a": {"k": "}"}, "b": {"k": "{"}, "c": [{"k": "\\"k\\": 1"}]}')).toEqual({ a: { k: '}' }, b: { k: '{' }, c: [{ k: '"k": 1' }] });
  });

  it('bears one string of many megabytes', () => {
    const long = 'x\\n'.repeat(1_000_000);
    expect(parseStrictJson(`{"a": "${long}", "b": 1}`)).toHaveProperty('b', 1);
  });
});
