import { describe, expect, it } from 'vitest';
import { GREEDY, requestId, type SequenceEvent, sequenceId, type SequenceRequest, workerId } from '@essaim/core';
import { ScriptedLead, WAITING_SEED } from './scripted-lead.ts';

const request = (maxTokens: number, seed = 0n): SequenceRequest => ({
  requestId: requestId('r'), sequenceId: sequenceId('s'), promptIds: [1], generatedIds: [], sampling: { ...GREEDY, seed }, maxTokens, minTokens: 0,
  stopTokenIds: [], ignoreEos: false, logprobs: null, promptLogprobs: null, priority: 0, timeoutMs: 1_000,
});

async function withLead<T>(use: (lead: ScriptedLead) => Promise<T>): Promise<T> {
  const over = new AbortController();
  const lead = new ScriptedLead(workerId('w1'));
  const running = lead.run(1, over.signal).catch(() => undefined);
  try {
    return await use(lead);
  } finally {
    over.abort();
    await running;
  }
}

describe('a scripted lead', () => {
  it('gives as many tokens as are asked for, and its last word', async () => {
    const kinds = await withLead(async (lead) => {
      const events: SequenceEvent['kind'][] = [];
      for await (const { kind } of lead.generate(request(3), new AbortController().signal)) events.push(kind);
      return events;
    });
    expect(kinds).toEqual(['token', 'token', 'token', 'done']);
  });

  it('gives the first token without waiting for a step', async () => {
    const first = await new ScriptedLead(workerId('w1')).generate(request(3), new AbortController().signal).next();
    expect(first.value).toMatchObject({ kind: 'token' });
  });

  it('leaves a sequence without tokens that is to wait, until its client leaves', async () => {
    await withLead(async (lead) => {
      const client = new AbortController();
      let answered = false;
      const next = lead.generate(request(1, WAITING_SEED), client.signal).next().then(() => (answered = true));
      for await (const _ of lead.generate(request(5), client.signal));
      expect(answered).toBe(false);
      client.abort();
      await next;
    });
  });
});
