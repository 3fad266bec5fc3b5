import { describe, expect, it } from 'vitest';
import { type SequenceEvent, workerId } from '@essaim/core';
import { TextReader, type Tokenizer } from '@essaim/tokenizer';
import { type AnswerEvent, readAnswer } from './answer.ts';

const STATS = { lead: workerId('w1'), workers: [], cachedPromptTokens: 0, acceptedDraftTokens: 0, rejectedDraftTokens: 0, localExpertCalls: 0, remoteExpertCalls: 0, retriedExpertCalls: 0, epoch: 1 };

/** Each id is one byte of the answer. */
const bytes: Tokenizer = {
  vocabSize: 256, longestTokenBytes: 1, bosToken: null, eosToken: null,
  encode: (text) => [...Buffer.from(text)], decode: (ids) => Buffer.from(ids).toString(), tokenBytes: (id) => Uint8Array.of(id), isSpecial: () => false,
  beginning: [], specialTokens: [], specialToken: () => null, encodePieces: () => [],
};

async function answer(text: string | Buffer, stop: readonly string[] = []): Promise<{ events: AnswerEvent[]; taken: number; left: boolean }> {
  let [taken, left] = [0, false];
  const source = async function* (): AsyncGenerator<SequenceEvent> {
    try {
      for (const id of Buffer.from(text)) {
        taken++;
        yield { kind: 'token', id, logprobs: null };
      }
      yield { kind: 'done', finishReason: 'length', stats: { ...STATS, epoch: 2 } };
    } finally {
      left = true;
    }
  };
  const events: AnswerEvent[] = [];
  for await (const event of readAnswer({ events: source(), stats: () => STATS }, { reader: new TextReader(bytes), stop })) events.push(event);
  return { events, taken, left };
}

const textOf = (events: readonly AnswerEvent[]): string => events.map((event) => (event.kind === 'delta' ? event.text : '')).join('');

describe('readAnswer', () => {
  it('tells of every token at once, and of its text when its characters are whole', async () => {
    const { events } = await answer('é!');
    expect(events).toEqual([
      { kind: 'delta', text: '', token: { id: 0xc3, offset: 0, logprobs: null } },
      { kind: 'delta', text: 'é', token: { id: 0xa9, offset: 0, logprobs: null } },
      { kind: 'delta', text: '!', token: { id: 0x21, offset: 1, logprobs: null } },
      { kind: 'done', finishReason: 'length', completionTokens: 3, stats: { ...STATS, epoch: 2 } },
    ]);
  });

  it('leaves its source at a stop string, and counts the tokens that made it', async () => {
    const { events, taken, left } = await answer('one two three', ['two']);
    expect(textOf(events)).toBe('one ');
    expect(events.at(-1)).toEqual({ kind: 'done', finishReason: 'stop', completionTokens: 7, stats: STATS });
    expect({ taken, left }).toEqual({ taken: 7, left: true });
  });

  it('gives back what it held when the answer ends before the stop string does', async () => {
    const { events } = await answer('one tw', ['two']);
    expect(textOf(events)).toBe('one tw');
    expect(events.at(-1)).toMatchObject({ finishReason: 'length' });
  });

  it('marks a character that the last token left open', async () => {
    expect(textOf((await answer(Buffer.from([0x61, 0xc3]))).events)).toBe('a\uFFFD');
  });
});
