import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readTextModel, TextStream } from '@essaim/tokenizer';
import { memoryFolder } from './memory-folder.ts';
import { readMistralConversations, readMistralTexts, readTokenizerFile, toConversation } from './read-mistral-vectors.ts';
import { fileSha256 } from './read-vectors.ts';

/** Mistral's own tokenizers and conversations against mistral-common. */

const texts = readMistralTexts();
const conversations = readMistralConversations();

const openFile = (name: string): ReturnType<typeof readTextModel> => readTextModel(memoryFolder({ [name]: readTokenizerFile(name) }));

/** The cut tekken.json as one of the version; with what else files of that version say. */
function openTekken(version: string): ReturnType<typeof readTextModel> {
  const file = JSON.parse(new TextDecoder().decode(readTokenizerFile('tekken.json'))) as { config: object };
  const content = { ...file, ...conversations.tekkenVariants[version], config: { ...file.config, version } };
  return readTextModel(memoryFolder({ 'tekken.json': new TextEncoder().encode(JSON.stringify(content)) }));
}

it('the files are those that the oracle read', () => {
  for (const [name, sha256] of Object.entries({ ...texts.files, ...conversations.files })) expect(fileSha256(`test/golden/tokenizers/${name}`), name).toBe(sha256);
});

describe.each(Object.entries(texts.encodings))('%s', async (name, { texts: encodings, long }) => {
  const { tokenizer } = await openFile(name);

  it('encodes and decodes at least 200 strings as mistral-common does', () => {
    expect(encodings.length).toBeGreaterThanOrEqual(200);
    for (const { text, ids, decoded } of encodings) {
      expect(tokenizer.encode(text, { addSpecialTokens: false }), JSON.stringify(text)).toEqual(ids);
      expect(tokenizer.decode(ids), JSON.stringify(text)).toBe(decoded);
    }
  });

  it.each(long)('encodes $count times $unit as mistral-common does', ({ unit, count, idCount, sha256 }) => {
    const ids = tokenizer.encode(unit.repeat(count), { addSpecialTokens: false });
    expect(ids).toHaveLength(idCount);
    expect(createHash('sha256').update(ids.join(',')).digest('hex')).toBe(sha256);
  });

  it('streams every string whole, and never half a character', () => {
    for (const { text, ids } of encodings) {
      const stream = new TextStream(tokenizer);
      const pieces = ids.map((id) => stream.push(id));
      expect(stream.flush(), JSON.stringify(text)).toBe('');
      // A replacement character stands for half a one, unless the text has it.
      expect(pieces.filter((piece) => piece.includes('\uFFFD')).length > 0).toBe(text.includes('\uFFFD'));
      expect(pieces.join('').endsWith(text.replaceAll('▁', name === 'tekken.json' ? '▁' : ' '))).toBe(true);
    }
  });
});

describe.each(Object.keys(conversations.prompts))('%s', async (name) => {
  const [kind, version] = name.split(' ') as [string, string];
  const { tokenizer, chatTemplate } = await (kind === 'tekken' ? openTekken(version) : openFile(`tokenizer.model.${version}`));
  const cases = Object.entries(conversations.prompts[name]!).map(([label, ids]) => ({ label, ids, conversation: toConversation(conversations.conversations[label]!) }));
  /** mistral-common leaves tools out that a model does not know; a client should know that the model will never call them. */
  const silentlyIgnored = ({ conversation }: (typeof cases)[number]): boolean => version === 'v1' && conversation.tools.length > 0;

  it.each(cases.filter((each) => each.ids !== null && !silentlyIgnored(each)))('lays out $label as mistral-common does', ({ conversation, ids }) => {
    expect(tokenizer.encodePieces(chatTemplate.render(conversation))).toEqual(ids);
  });

  it.each(cases.filter((each) => each.ids === null || silentlyIgnored(each)))('refuses $label', ({ conversation }) => {
    expect(() => chatTemplate.render(conversation)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });
});
