import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SequenceEvent, type SequenceRequest } from '@essaim/core';
import { type LocalCluster } from '@essaim/testing';
import { temporaryCache } from './compiled.ts';
import { eventsOf, greedyRequest } from './generate.ts';
import { finishReason, startTiny, tinyVector, tokenIds } from './tiny-cluster.ts';

/** Why a sequence ends, and with which token. */

const { promptIds, greedyIds } = tinyVector;
const CONTEXT = 512;
const EOS = 2;

const compiled = temporaryCache();
const steps: (readonly number[])[] = [];
let cluster: LocalCluster;
beforeAll(async () => void (cluster = await startTiny({ cache: compiled.cache, onStep: (counts) => steps.push(counts) })));
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  compiled.remove();
});

const generate = (request: Partial<SequenceRequest>): Promise<SequenceEvent[]> => eventsOf(cluster.workers[0]!.engine, { ...greedyRequest(promptIds, 32), ...request });

async function ending(request: Partial<SequenceRequest>): Promise<{ readonly ids: readonly number[]; readonly reason: string }> {
  const events = await generate(request);
  return { ids: tokenIds(events), reason: finishReason(events) };
}

/** So large a bias that the token is chosen wherever it may be. */
const always = (id: number): Pick<SequenceRequest, 'sampling'> => ({ sampling: { ...greedyRequest([], 0).sampling, logitBias: new Map([[id, 1000]]) } });

describe('a stop id', () => {
  const place = greedyIds.findIndex((id, index) => index > 3 && greedyIds.indexOf(id) === index);
  const stopTokenIds = [greedyIds[place]!];

  it('ends the answer and is not part of it', async () => {
    expect(await ending({ stopTokenIds })).toEqual({ ids: greedyIds.slice(0, place), reason: 'stop' });
  });

  it('ends it also as the last token that was allowed, and not beyond', async () => {
    expect(await ending({ stopTokenIds, maxTokens: place + 1 })).toEqual({ ids: greedyIds.slice(0, place), reason: 'stop' });
    expect(await ending({ stopTokenIds, maxTokens: place })).toEqual({ ids: greedyIds.slice(0, place), reason: 'length' });
  });

  it('may be the first token of all', async () => {
    expect(await ending({ stopTokenIds: [greedyIds[0]!] })).toEqual({ ids: [], reason: 'stop' });
  });

  it('in the prompt means nothing', async () => {
    expect(await ending({ stopTokenIds: [promptIds.find((id) => !greedyIds.includes(id))!] })).toEqual({ ids: greedyIds, reason: 'length' });
  });

  it.each([1, 5])('can\'t be chosen before %i tokens, and ends the answer right after', async (minTokens) => {
    const stop = greedyIds[0]!;
    const { ids, reason } = await ending({ ...always(stop), stopTokenIds: [stop], minTokens });
    expect([ids.length, ids.includes(stop), reason]).toEqual([minTokens, false, 'stop']);
  });

  it('counts tokens that another lead emitted among the least', async () => {
    const stop = greedyIds[9]!;
    const { ids, reason } = await ending({ ...always(stop), stopTokenIds: [stop], minTokens: 5, generatedIds: greedyIds.slice(0, 3) });
    expect([ids.length, ids.includes(stop), reason]).toEqual([2, false, 'stop']);
  });
});

describe('the model\'s own end', () => {
  it('ends the answer and is not part of it', async () => {
    expect(await ending({ ...always(EOS), ignoreEos: false })).toEqual({ ids: [], reason: 'stop' });
  });

  it('is a token as any other where it is to be ignored', async () => {
    expect(await ending({ ...always(EOS), ignoreEos: true, maxTokens: 3 })).toEqual({ ids: [EOS, EOS, EOS], reason: 'length' });
  });

  it('still ends it where it is ignored but named as a stop id', async () => {
    expect(await ending({ ...always(EOS), ignoreEos: true, stopTokenIds: [EOS] })).toEqual({ ids: [], reason: 'stop' });
  });

  it('can\'t be chosen too early either', async () => {
    const { ids, reason } = await ending({ ...always(EOS), ignoreEos: false, minTokens: 4 });
    expect([ids.length, ids.includes(EOS), reason]).toEqual([4, false, 'stop']);
  });
});

describe('the most tokens', () => {
  it.each([1, 2, 31, 32])('are exactly %i', async (maxTokens) => {
    expect(await ending({ maxTokens })).toEqual({ ids: greedyIds.slice(0, maxTokens), reason: 'length' });
  });

  it('are none: nothing is computed', async () => {
    const before = steps.length;
    expect((await generate({ maxTokens: 0 })).map(({ kind }) => kind)).toEqual(['done']);
    expect(steps.length).toBe(before);
  });

  it('are none, but the prompt\'s logprobs are asked for: they come alone', async () => {
    const events = await generate({ maxTokens: 0, promptLogprobs: 2 });
    expect(events.map(({ kind }) => kind)).toEqual(['prompt', 'done']);
    expect(finishReason(events)).toBe('length');
    expect(events[0]).toMatchObject({ logprobs: { length: promptIds.length } });
  });

  it('count what another lead emitted', async () => {
    expect(await ending({ generatedIds: greedyIds.slice(0, 10), maxTokens: 12 })).toEqual({ ids: greedyIds.slice(10, 12), reason: 'length' });
    expect(await ending({ generatedIds: greedyIds.slice(0, 10), maxTokens: 10 })).toEqual({ ids: [], reason: 'length' });
  });
});

describe('tokens that another lead emitted', () => {
  it.each([1, 16, 31])('%i of them are not emitted again, and the rest is the same', async (count) => {
    expect(await ending({ generatedIds: greedyIds.slice(0, count) })).toEqual({ ids: greedyIds.slice(count), reason: 'length' });
  });

  it('bring no logprobs of the prompt a second time', async () => {
    const events = await generate({ generatedIds: greedyIds.slice(0, 4), promptLogprobs: 1, maxTokens: 6 });
    expect(events.map(({ kind }) => kind)).toEqual(['token', 'token', 'done']);
  });
});

describe('the context', () => {
  const longPrompt = (length: number): number[] => Array.from({ length }, (_, index) => 3 + (index * 37) % 250);

  it.each([[500, 12], [511, 1], [512, 0]])('has room for %i tokens of a prompt and %i of an answer', async (length, answer) => {
    const { ids, reason } = await ending({ promptIds: longPrompt(length), maxTokens: 100 });
    expect([ids.length, reason]).toEqual([answer, 'length']);
  });

  it('has logprobs for a prompt that fills it', async () => {
    const [prompt] = await generate({ promptIds: longPrompt(CONTEXT), promptLogprobs: 0 });
    expect(prompt).toMatchObject({ kind: 'prompt', logprobs: { length: CONTEXT } });
  });
});
