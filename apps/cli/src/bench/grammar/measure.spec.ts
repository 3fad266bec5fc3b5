import { expect, it } from 'vitest';
import { seededRandom } from '../random.ts';
import { CASES } from './cases.ts';
import { measureGrammar } from './measure.ts';
import { tallVocabulary, VOCAB_SIZE } from './vocabulary.ts';

it('every case is compiled and followed over a vocabulary as tall as it says', () => {
  const random = seededRandom(1);
  const vocabulary = tallVocabulary(['the', ' sea', '":', '{"', 'é', ' 12', '\n'].flatMap((word) => [word, ...'abcdefghijklmnopqrstuvwxyz'].map((letter) => new TextEncoder().encode(word + letter))), random);
  expect(vocabulary.all.nodes).toHaveLength(VOCAB_SIZE);
  for (const { name, constraint } of CASES) {
    const { compileMs, first, next } = measureGrammar(constraint, { vocabulary, random });
    expect(Math.min(compileMs, first.tokens, next.tokens, first.maxUs - first.medianUs + 1), name).toBeGreaterThan(0);
  }
});
