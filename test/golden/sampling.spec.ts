import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GREEDY, type SamplingParams } from '@essaim/core';
import { type LocalCluster } from '@essaim/testing';
import { temporaryCache } from './compiled.ts';
import { greedyRequest, tokensOf } from './generate.ts';
import { startTiny, tinyVector } from './tiny-cluster.ts';

/** Every sampling parameter reaches the choice of tokens. What each does exactly is the sampler's own matter. */

const { promptIds, greedyIds } = tinyVector;
const compiled = temporaryCache();
let cluster: LocalCluster;
beforeAll(async () => void (cluster = await startTiny({ cache: compiled.cache })));
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  compiled.remove();
});

const DRAWN: SamplingParams = { ...GREEDY, temperature: 2, seed: 11n };
const answer = (sampling: Partial<SamplingParams>, lead = 0): Promise<number[]> => tokensOf(cluster.workers[lead]!.engine, { ...greedyRequest(promptIds, 32), sampling: { ...GREEDY, ...sampling } });
const distinct = (ids: readonly number[]): number => new Set(ids).size;

describe('a bias', () => {
  it('bans a token that would have been chosen', async () => {
    const banned = greedyIds[3]!;
    const ids = await answer({ logitBias: new Map([[banned, -1000]]) });
    expect(ids).not.toContain(banned);
    expect(ids.slice(0, greedyIds.indexOf(banned))).toEqual(greedyIds.slice(0, greedyIds.indexOf(banned)));
  });

  it('for a token that the model does not have changes nothing', async () => {
    expect(await answer({ logitBias: new Map([[1_000_000, 100]]) })).toEqual(greedyIds);
  });
});

describe('a penalty', () => {
  it.each([['presence', { presencePenalty: 1000 }], ['frequency', { frequencyPenalty: 1000 }]])('for %s keeps the answer from repeating itself', async (_what, penalty) => {
    const repetitive = { logitBias: new Map([[greedyIds[0]!, 50]]) };
    expect(distinct(await answer(repetitive))).toBeLessThan(32);
    expect(distinct(await answer({ ...repetitive, ...penalty }))).toBe(32);
  });

  it('for repetition counts the prompt\'s tokens too', async () => {
    const ids = await answer({ repetitionPenalty: 1e6 });
    const probable = await answer({});
    expect(probable.some((id) => promptIds.includes(id))).toBe(true);
    expect(ids).not.toEqual(probable);
  });

  it('counts what another lead emitted', async () => {
    const sampling = { ...GREEDY, presencePenalty: 1000 };
    const whole = await answer(sampling);
    const rest = await tokensOf(cluster.workers[1]!.engine, { ...greedyRequest(promptIds, 32), sampling, generatedIds: whole.slice(0, 20) });
    expect(rest).toEqual(whole.slice(20));
  });
});

describe('a draw', () => {
  it('is the same for the same seed on any lead, another for another', async () => {
    const ids = await answer(DRAWN);
    expect(await answer(DRAWN, 1)).toEqual(ids);
    expect(await answer({ ...DRAWN, seed: 12n })).not.toEqual(ids);
    expect(ids).not.toEqual(greedyIds);
  });

  it.each([['the one best', { topK: 1 }], ['almost no mass', { topP: 1e-9 }], ['what is as good as the best', { minP: 1 }]])('from %s is greedy', async (_what, filter) => {
    expect(await answer({ ...DRAWN, ...filter })).toEqual(greedyIds);
  });
});
