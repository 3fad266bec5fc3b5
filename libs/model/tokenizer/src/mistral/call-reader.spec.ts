import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AnswerParts, type PromptPiece, toolCallId } from '../index.ts';
import { CallReader } from './call-reader.ts';
import { createTekkenTokenizer } from './tekken.ts';

/** Every token is a byte, so that a text comes in the smallest steps. */
const specialTokens = ['<unk>', '<s>', '</s>', '[TOOL_CALLS]', '[ARGS]', '[CALL_ID]'].map((text, id) => ({ id, text }));
const tokenizer = createTekkenTokenizer({ pattern: /[^]/gu, pieces: Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)), specialTokens });
const [CALLS, ARGS, ID, END] = ['[TOOL_CALLS]', '[ARGS]', '[CALL_ID]', '</s>'].map((name) => tokenizer.specialToken(name)!) as [PromptPiece, PromptPiece, PromptPiece, PromptPiece];

function read(...pieces: readonly PromptPiece[]): AnswerParts & { readonly steps: readonly AnswerParts[] } {
  let made = 0;
  const reader = new CallReader(tokenizer, { newCallId: () => `made0000${++made}` });
  const steps = [...tokenizer.encodePieces(pieces).map((id) => reader.push(id)), reader.flush()];
  expect(reader.characterCount).toBe([...steps.map(({ text }) => text).join('')].length);
  return { text: steps.map(({ text }) => text).join(''), calls: steps.flatMap(({ calls }) => calls), steps };
}

describe('CallReader', () => {
  it.each([
    ['one call with its arguments', [CALLS, 'weather', ARGS, '{"city": "Paris"}', END], [['made00001', 'weather', '{"city": "Paris"}']]],
    ['several calls', [CALLS, 'weather', ARGS, '{"a":1.0}', CALLS, 'clock', ARGS, ' {} '], [['made00001', 'weather', '{"a":1.0}'], ['made00002', 'clock', '{}']]],
    ['the id that the model gave', [CALLS, 'clock', ID, 'abcdefgh1', ARGS, '{}'], [['abcdefgh1', 'clock', '{}']]],
    ['another id for one of another form', [CALLS, 'clock', ID, 'x', ARGS, '{}'], [['made00001', 'clock', '{}']]],
    ['a list', [CALLS, ' [{"name": "weather", "arguments": {"city": "Paris", "t": 1.0}}, {"name": "clock", "arguments": {}, "id": "abcdefgh1"}]', END], [['made00001', 'weather', '{"city": "Paris", "t": 1.0}'], ['abcdefgh1', 'clock', '{}']]],
  ])('reads %s', (_, pieces, calls) => {
    expect(read(...pieces)).toMatchObject({ text: '', calls: calls.map(([id, name, text]) => ({ id, name, arguments: text })) });
  });

  it('gives words before a call as they come, and the call once it is whole', () => {
    const { steps } = read('é!', CALLS, 'clock', ARGS, '{}', END);
    expect(steps.slice(0, 3).map(({ text }) => text)).toEqual(['', 'é', '!']);
    expect(steps.slice(3, -1).every(({ text, calls }) => text === '' && calls.length === 0)).toBe(true);
    expect(steps.at(-1)!.calls).toHaveLength(1);
  });

  it.each([
    ['arguments that are cut off', [CALLS, 'clock', ARGS, '{"a": "b'], '[TOOL_CALLS]clock[ARGS]{"a": "b'],
    ['arguments that are no object', [CALLS, 'clock', ARGS, '[1]'], '[TOOL_CALLS]clock[ARGS][1]'],
    ['a name that no tool has', [CALLS, 'two words', ARGS, '{}'], '[TOOL_CALLS]two words[ARGS]{}'],
    ['a list that is cut off', [CALLS, '[{"name": "clock", "argu'], '[TOOL_CALLS][{"name": "clock", "argu'],
    ['a list with something else in it', [CALLS, '[{"name": "clock", "arguments": {}}, 1]'], '[TOOL_CALLS][{"name": "clock", "arguments": {}}, 1]'],
    ['nothing', [CALLS], '[TOOL_CALLS]'],
    ['half a character', [CALLS, 'clock', ARGS, { id: 6 + 0xe9, text: '' }], '[TOOL_CALLS]clock[ARGS]\uFFFD'],
  ])('gives %s as text, as the model wrote it', (_, pieces, text) => {
    expect(read(...(pieces as PromptPiece[]))).toMatchObject({ text, calls: [] });
  });

  it('gives whole calls although the next one is cut off', () => {
    expect(read(CALLS, 'a', ARGS, '{}', CALLS, 'b', ARGS, '{')).toMatchObject({ text: '[TOOL_CALLS]b[ARGS]{', calls: [{ name: 'a' }] });
  });

  it('loses nothing of an answer without calls', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(read(text, ARGS, text)).toMatchObject({ text: text + text, calls: [] });
    }));
  });
});

it('toolCallId makes nine letters and digits', () => {
  fc.assert(fc.property(fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 9, maxLength: 9 }), (numbers) => {
    expect(toolCallId(() => numbers.pop()!)).toMatch(/^[A-Za-z0-9]{9}$/);
  }));
});
