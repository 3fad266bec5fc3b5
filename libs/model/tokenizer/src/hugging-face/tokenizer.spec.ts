import { readFileSync } from 'node:fs';
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SENTENCE_PIECE_FILES, sentencePiece } from '../../test/sentence-piece.ts';
import { createTokenizer, type Tokenizer, type TokenizerFiles } from '../index.ts';

const readPetit = (file: string): object => JSON.parse(readFileSync(new URL(`../../../../../deploy/models/petit/${file}`, import.meta.url), 'utf8')) as object;
const PETIT_FILES: TokenizerFiles = { tokenizer: readPetit('tokenizer.json'), tokenizerConfig: readPetit('tokenizer_config.json') };
const petit = createTokenizer(PETIT_FILES);

const MODELS = [
  { name: 'byte-level', ours: petit, library: new HuggingFaceTokenizer(PETIT_FILES.tokenizer, PETIT_FILES.tokenizerConfig!) },
  { name: 'SentencePiece', ours: sentencePiece, library: new HuggingFaceTokenizer(SENTENCE_PIECE_FILES.tokenizer, SENTENCE_PIECE_FILES.tokenizerConfig!) },
];
const withoutSpecial = { addSpecialTokens: false };
const idsOf = ({ vocabSize }: Tokenizer): fc.Arbitrary<number[]> => fc.array(fc.nat(vocabSize - 1), { minLength: 1, maxLength: 40 });

describe.each(MODELS)('a $name tokenizer', ({ ours, library }) => {
  it('decodes any ids as the library does', () => {
    fc.assert(fc.property(idsOf(ours), (ids) => {
      // The library drops a byte order mark that is made of byte tokens; the text of a model should keep it.
      fc.pre(!ours.decode(ids).includes('\uFEFF'));
      expect(ours.decode(ids)).toBe(library.decode([...ids], { skip_special_tokens: false }));
    }));
  });

  it('gives back any text that it encoded', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(ours.decode(ours.encode(text, withoutSpecial))).toBe(text);
    }));
  });

  it('never makes fewer tokens than the bytes divided by the longest token', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(ours.encode(text, withoutSpecial).length).toBeGreaterThanOrEqual(Buffer.byteLength(text) / ours.longestTokenBytes);
    }));
  });

  it('decodes no ids to the empty text, and an id beyond its vocabulary to nothing', () => {
    expect(ours.decode([])).toBe('');
    expect(ours.decode([ours.vocabSize + 5])).toBe('');
  });
});

describe('createTokenizer', () => {
  it('knows the special tokens by name and id', () => {
    expect(petit).toMatchObject({ vocabSize: 8192, bosToken: { id: 0, text: '<s>' }, eosToken: { id: 1, text: '</s>' } });
    expect([0, 1, 2, 3].map((id) => petit.isSpecial(id))).toEqual([true, true, true, false]);
    expect(sentencePiece).toMatchObject({ bosToken: { id: 1, text: '<s>' }, eosToken: { id: 2, text: '</s>' } });
  });

  it('adds what begins a text only where asked', () => {
    expect(sentencePiece.encode('ab', { addSpecialTokens: true })).toEqual([1, ...sentencePiece.encode('ab', withoutSpecial)]);
  });

  it('does without tokenizer_config.json', () => {
    expect(createTokenizer({ tokenizer: PETIT_FILES.tokenizer, tokenizerConfig: null }).bosToken).toBeNull();
  });

  it.each([
    ['is no tokenizer', { tokenizer: {} }, 'is not one that this version reads'],
    ['has another decoder', { tokenizer: { ...PETIT_FILES.tokenizer, decoder: { type: 'WordPiece', prefix: '##' } } }, 'WordPiece'],
  ])('refuses a file that %s', (_, files, sentence) => {
    expect(() => createTokenizer({ ...PETIT_FILES, ...files })).toThrow(expect.objectContaining({ code: 'failed_precondition', message: expect.stringContaining(sentence) as string }));
  });
});
