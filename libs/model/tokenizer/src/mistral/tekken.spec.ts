import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { Tiktoken } from 'tiktoken/lite';
import { afterAll, describe, expect, it } from 'vitest';
import { createTekkenTokenizer } from './tekken.ts';
import { parseTekkenFile } from './tekken-file.ts';

interface Content {
  readonly config: { readonly pattern: string };
  readonly vocab: readonly { readonly token_bytes: string }[];
}
const content = JSON.parse(readFileSync(new URL('../../../../../test/golden/tokenizers/tekken.json', import.meta.url), 'utf8')) as Content;
const file = parseTekkenFile(content);
const tokenizer = createTekkenTokenizer(file);
const tiktoken = new Tiktoken(`! 0 ${content.vocab.slice(0, file.pieces.length).map(({ token_bytes: bytes }) => bytes).join(' ')}`, {}, content.config.pattern);
afterAll(() => tiktoken.free());

const encode = (text: string): number[] => tokenizer.encode(text, { addSpecialTokens: false });
const anyText = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 60 }), fc.string({ unit: 'binary', maxLength: 60 }), fc.string({ unit: fc.constantFrom('a', 'E', 'é', ' ', '\n', '\u0085', '\uFEFF', '1', '/', '漢', '̈'), maxLength: 60 }));

describe('a Tekken tokenizer', () => {
  it('encodes any text as tiktoken does', () => {
    fc.assert(fc.property(anyText, (text) => {
      expect(encode(text).map((id) => id - file.specialTokens.length)).toEqual([...tiktoken.encode_ordinary(text)]);
    }), { numRuns: 2_000 });
  });

  it('gives back any text that it encoded', () => {
    fc.assert(fc.property(anyText, (text) => {
      expect(tokenizer.decode(encode(text))).toBe(text.toWellFormed());
    }));
  });

  it('reads a piece of a prompt by itself, as it stands', () => {
    const inst = tokenizer.specialToken('[INST]')!;
    expect(tokenizer.encodePieces([inst, '[INST]', inst])).toEqual([inst.id, ...encode('[INST]'), inst.id]);
    expect(encode('[INST]').some((id) => tokenizer.isSpecial(id))).toBe(false);
  });
});
