import { afterAll, describe, expect, it } from 'vitest';
import { AppError } from '@essaim/core';
import { temporaryCache } from './compiled.ts';
import { eventsOf, greedyRequest, tokensOf } from './generate.ts';
import { startTiny, tinyVector } from './tiny-cluster.ts';

/** What a lead takes, and with which sentence it refuses the rest. */

const { promptIds, greedyIds } = tinyVector;
const compiled = temporaryCache();
afterAll(compiled.remove);

describe('a lead refuses', () => {
  it.each([
    ['an empty prompt', [], [], 'the prompt is empty: give at least one token'],
    ['a token outside the vocabulary', [3, 256, 4], [], 'token 256 does not exist: the model\'s vocabulary has 256'],
    ['a token outside the vocabulary among those emitted elsewhere', [3], [4_000_000], 'token 4000000 does not exist: the model\'s vocabulary has 256'],
    ['a prompt longer than the context', new Array<number>(513).fill(3), [], 'the prompt has 513 tokens and the model\'s context is 512: shorten the prompt'],
  ])('%s', async (_what, prompt, generatedIds, message) => {
    await using cluster = await startTiny({ cache: compiled.cache });
    const { engine } = cluster.workers[0]!;
    await expect(eventsOf(engine, { ...greedyRequest(prompt, 8), generatedIds })).rejects.toEqual(new AppError('invalid_argument', message, { param: 'prompt' }));
    expect([engine.runningSequences, engine.waitingSequences, cluster.kv.usedBytes]).toEqual([0, 0, 0]);
  });

  it('a sequence more than may wait, and serves those that came before', async () => {
    await using cluster = await startTiny({ cache: compiled.cache, limits: { runningSequences: 1, waitingSequences: 2 } });
    const { engine } = cluster.workers[0]!;
    const taken = Array.from({ length: 3 }, () => tokensOf(engine, greedyRequest(promptIds, 32)));
    expect([engine.runningSequences, engine.waitingSequences]).toEqual([1, 2]);
    await expect(tokensOf(engine, greedyRequest(promptIds, 32))).rejects.toMatchObject({ code: 'resource_exhausted', message: '2 sequences wait on this worker already: try again later' });
    expect(await Promise.all(taken)).toEqual([greedyIds, greedyIds, greedyIds]);
    expect(await tokensOf(engine, greedyRequest(promptIds, 32))).toEqual(greedyIds);
  });
});

describe('a lead takes', () => {
  it.each([0, 255])('token %i, at an end of the vocabulary', async (id) => {
    await using cluster = await startTiny({ cache: compiled.cache });
    expect(await tokensOf(cluster.workers[0]!.engine, greedyRequest([id], 3))).toHaveLength(3);
  });

  it('a prompt of one token, whose first logprob nothing predicts', async () => {
    await using cluster = await startTiny({ cache: compiled.cache });
    expect((await eventsOf(cluster.workers[0]!.engine, { ...greedyRequest([9], 0), promptLogprobs: 5 }))[0]).toEqual({ kind: 'prompt', logprobs: [null] });
  });
});
