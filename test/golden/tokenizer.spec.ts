import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { describe, expect, it } from 'vitest';
import { checkpointDirectory, readGreedyRuns, readHeldBackText, readPerplexity, readTokenizerVector } from './read-vectors.ts';

/** The npm tokenizer against the Python one, on the built-in model. */

const petit = checkpointDirectory('deploy/models/petit');
const readJson = (file: string): object => JSON.parse(readFileSync(join(petit, file), 'utf8')) as object;
const tokenizer = new Tokenizer(readJson('tokenizer.json'), readJson('tokenizer_config.json'));
const vector = readTokenizerVector();
const { decodings } = vector;
/** Control characters and long strings don't belong in test names. */
const encodings = vector.encodings.map((encoding) => ({ ...encoding, label: JSON.stringify(encoding.text).slice(0, 60) }));

describe('@huggingface/tokenizers with the built-in tokenizer', () => {
  it.each(encodings)('encodes $label as the Python library does', ({ text, ids }) => {
    expect(tokenizer.encode(text).ids).toEqual(ids);
  });

  it.each(encodings.filter(({ ids }) => ids.length > 0))('decodes the ids of $label', ({ ids, decoded }) => {
    expect(tokenizer.decode([...ids], { skip_special_tokens: false })).toBe(decoded);
  });

  it('refuses to decode no ids: callers give the empty text themselves', () => {
    expect(() => tokenizer.decode([])).toThrow('non-empty');
  });

  it.each(decodings)('decodes ids that begin or end inside a character: $ids', ({ ids, text }) => {
    expect(tokenizer.decode([...ids], { skip_special_tokens: false })).toBe(text);
  });

  it('encodes the held-back novels', () => {
    expect(tokenizer.encode(readHeldBackText()).ids).toEqual(readPerplexity().ids);
  });

  it('encodes the prompts and decodes the answers of the greedy runs', () => {
    for (const run of readGreedyRuns().runs) {
      expect(tokenizer.encode(run.prompt).ids).toEqual(run.promptIds);
      expect(tokenizer.decode([...run.greedyIds])).toBe(run.text);
    }
  });
});
