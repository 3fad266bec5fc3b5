import { describe, expect, it } from 'vitest';
import { parseTekkenFile } from './tekken-file.ts';

const token = (bytes: string, rank: number): object => ({ rank, token_bytes: btoa(bytes), token_str: null });
const vocab = [...Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)), 'ab', 'abc', 'zz'].map(token);
const config = { pattern: '\\S+|\\s+', num_vocab_tokens: 259, default_vocab_size: 24 + 258, default_num_special_tokens: 24, version: 'v3' };
const file = (changes: object = {}, configChanges: object = {}): object => ({ config: { ...config, ...configChanges }, vocab, ...changes });

describe('parseTekkenFile', () => {
  it('cuts the vocabulary to what the model has', () => {
    const { pieces, version } = parseTekkenFile(file());
    expect([pieces.length, pieces.at(-1), version]).toEqual([258, 'abc', 'v3']);
  });

  it('names special tokens as the file does, and those that it does not name by their ids', () => {
    const { specialTokens } = parseTekkenFile(file({ special_tokens: [{ rank: 0, token_str: '<unk>', is_control: true }, { rank: 2, token_str: '[NEW]', is_control: true }] }));
    expect(specialTokens.slice(0, 4).map(({ text }) => text)).toEqual(['<unk>', '<SPECIAL_1>', '[NEW]', '<SPECIAL_3>']);
    expect(specialTokens).toHaveLength(24);
  });

  it('knows the special tokens of the files that name none', () => {
    const { specialTokens } = parseTekkenFile(file());
    expect([1, 3, 19, 20].map((id) => specialTokens[id]!.text)).toEqual(['<s>', '[INST]', '[TOOL_CONTENT]', '<SPECIAL_20>']);
  });

  it('takes for a space what Unicode does, and not what JavaScript does', () => {
    const { pattern } = parseTekkenFile(file());
    expect('a\u0085b'.match(pattern)).toEqual(['a', '\u0085', 'b']);
    expect('a\uFEFFb'.match(pattern)).toEqual(['a\uFEFFb']);
  });

  it.each([
    ['no object in it', [], 'at its top'],
    ['no configuration', { vocab }, 'config'],
    ['another version', file({}, { version: 'v99' }), 'version'],
    ['a pattern of another engine', file({}, { pattern: '(?i:a)++' }), 'pattern'],
    ['too few tokens', file({}, { default_vocab_size: 24 + 260 }), "can't be cut"],
    ['ranks out of order', file({ vocab: vocab.toReversed() }), 'rank'],
    ['no bytes', file({ vocab: vocab.map((_, rank) => token(`x${rank}`, rank)) }), 'bytes'],
    ['two special tokens of one name', file({ special_tokens: [{ rank: 0, token_str: '<s>' }, { rank: 1, token_str: '<s>' }] }), 'alike'],
    ['two special tokens of one id', file({ special_tokens: [{ rank: 0, token_str: '<s>' }, { rank: 0, token_str: '</s>' }] }), 'alike'],
    ['a special token beyond its count', file({ special_tokens: [{ rank: 24, token_str: '<s>' }] }), 'beyond'],
  ])('refuses a file with %s', (_, content, sentence) => {
    expect(() => parseTekkenFile(content)).toThrow(expect.objectContaining({ code: 'failed_precondition', message: expect.stringContaining(sentence) as string }));
  });
});
