import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readTextModel, type TextFolder } from './index.ts';

const golden = (name: string): Uint8Array => readFileSync(new URL(`../../../../test/golden/tokenizers/${name}`, import.meta.url));
const TEKKEN = { 'tekken.json': golden('tekken.json') };
const HUGGING_FACE = { 'tokenizer.json': golden('hugging-face-tekken/tokenizer.json'), 'tokenizer_config.json': golden('hugging-face-tekken/tokenizer_config.json') };
const model = (name: string, version: string): Record<string, Uint8Array> => ({ [name]: golden(`tokenizer.model.${version}`) });

const folder = (files: Readonly<Record<string, Uint8Array>>): TextFolder => ({
  directory: '/models/some',
  readText: (name) => Promise.resolve(name in files ? new TextDecoder().decode(files[name]) : null),
  open: (name) => Promise.resolve(name in files ? { sizeBytes: files[name]!.length, read: (offset, length) => Promise.resolve(files[name]!.slice(offset, offset + length)) } : null),
});
const question = { messages: [{ role: 'system', content: 'S' }, { role: 'user', content: 'U' }], tools: [], reasoningEffort: null } as const;

describe('readTextModel', () => {
  it.each([
    ['tekken.json', { ...model('tokenizer.model', 'v1'), ...HUGGING_FACE, ...model('tokenizer.model.v3', 'v3'), ...TEKKEN }],
    ['tokenizer.model.v3', { ...model('tokenizer.model', 'v1'), ...HUGGING_FACE, ...model('tokenizer.model.v3', 'v3') }],
    ['tokenizer.json', { ...model('tokenizer.model', 'v1'), ...HUGGING_FACE }],
    ['tokenizer.model', model('tokenizer.model', 'v1')],
  ])('takes %s before those that stand behind it', async (file, files) => {
    expect((await readTextModel(folder(files))).file).toBe(file);
  });

  it.each([
    ['v1', '<s> [INST] S\n\nU [/INST]'],
    ['v3', '<s>[INST] S\n\nU[/INST]'],
    ['v7', '<s>[SYSTEM_PROMPT] S[/SYSTEM_PROMPT][INST] U[/INST]'],
  ])('sees by its tokens that a tokenizer.model is of %s', async (version, prompt) => {
    const { tokenizer, chatTemplate } = await readTextModel(folder(model('tokenizer.model', version)));
    expect(tokenizer.decode(tokenizer.encodePieces(chatTemplate.render(question)))).toBe(prompt);
  });

  it('without a template takes a Hugging Face model for a base model', async () => {
    const { chatTemplate } = await readTextModel(folder(HUGGING_FACE));
    expect(chatTemplate.render(question)).toEqual(['S\n\nU']);
  });

  it.each([
    ['nothing', {}, '/models/some has no tokenizer.json, tekken.json or tokenizer.model'],
    ['a tekken.json that is no JSON', { 'tekken.json': Buffer.from('{') }, 'tekken.json in /models/some is not valid JSON'],
    ['a tekken.json that is no object', { 'tekken.json': Buffer.from('7') }, 'not a JSON object'],
    ['a tokenizer.model that is none', { 'tokenizer.model': Buffer.from('version https://git-lfs.github.com/spec/v1') }, 'SentencePiece'],
    ['a version of tokens that the file lacks', model('tokenizer.model.v7', 'v3'), 'has no token [SYSTEM_PROMPT]'],
  ])('refuses a folder with %s', async (_, files, sentence) => {
    await expect(readTextModel(folder(files as Record<string, Uint8Array>))).rejects.toMatchObject({ code: 'failed_precondition', message: expect.stringContaining(sentence) as string });
  });
});
