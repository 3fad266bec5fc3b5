import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sentencePiece } from '../test/sentence-piece.ts';
import { createTokenizer, TextStream, type Tokenizer } from './index.ts';

const readJson = <T extends object>(path: string): T => JSON.parse(readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8')) as T;
const petit = createTokenizer({ tokenizer: readJson('deploy/models/petit/tokenizer.json'), tokenizerConfig: readJson('deploy/models/petit/tokenizer_config.json') });

function stream(tokenizer: Tokenizer, ids: readonly number[]): { pieces: string[]; characters: number } {
  const text = new TextStream(tokenizer);
  const pieces = ids.map((id) => text.push(id));
  return { pieces: [...pieces, text.flush()], characters: text.characterCount };
}

const encoder = new TextEncoder();
const byteTokens = (text: string): number[] => [...encoder.encode(text)].map((byte) => 3 + byte);

describe('TextStream', () => {
  it.each([{ name: 'byte-level', tokenizer: petit }, { name: 'SentencePiece', tokenizer: sentencePiece }])('gives together what decoding all $name ids at once gives', ({ tokenizer }) => {
    const ids = fc.array(fc.nat(tokenizer.vocabSize - 1).filter((id) => !tokenizer.isSpecial(id)), { maxLength: 60 });
    fc.assert(fc.property(ids, (answer) => {
      const { pieces, characters } = stream(tokenizer, answer);
      // After a first token that only marks the beginning no space is taken away: an answer continues a text.
      const start = tokenizer.bosToken!;
      expect(pieces.join('')).toBe(tokenizer.decode([start.id, ...answer]).slice(start.text.length));
      expect(characters).toBe([...pieces.join('')].length);
    }));
  });

  it('shows no character before it is whole, and every whole one at once', () => {
    const text = 'é€🙂 a';
    const { pieces } = stream(sentencePiece, byteTokens(text));
    expect(pieces).toEqual(['', 'é', '', '', '€', '', '', '', '🙂', ' ', 'a', '']);
  });

  it('marks a character that is never completed, at the end', () => {
    expect(stream(sentencePiece, byteTokens('a€').slice(0, -1)).pieces).toEqual(['a', '', '', '\uFFFD']);
  });

  it('shows a replacement character that is really there', () => {
    expect(stream(sentencePiece, byteTokens('\uFFFDa')).pieces.join('')).toBe('\uFFFDa');
  });

  it('leaves special tokens out, also inside a character', () => {
    const [first, ...rest] = byteTokens('é');
    expect(stream(sentencePiece, [1, first!, 2, ...rest]).pieces.join('')).toBe('é');
  });

  it('streams the golden texts and answers', () => {
    const { runs } = readJson<{ runs: { greedyIds: number[]; text: string }[] }>('test/golden/vectors/petit-greedy.json');
    for (const { greedyIds, text } of runs) expect(stream(petit, greedyIds).pieces.join('')).toBe(text);
    const { encodings } = readJson<{ encodings: { ids: number[] }[] }>('test/golden/vectors/petit-tokenizer.json');
    for (const { ids } of encodings) expect(stream(petit, ids).pieces.join('')).toBe(petit.decode(ids.filter((id) => !petit.isSpecial(id))));
  });
});
