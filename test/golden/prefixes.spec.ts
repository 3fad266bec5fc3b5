import { afterAll, describe, expect, it } from 'vitest';
import { AppError, KV_DTYPES, type SequenceEvent, type SequenceRequest, type SequenceStats } from '@essaim/core';
import { type LocalCluster, type LocalClusterOptions } from '@essaim/testing';
import { temporaryCache } from './compiled.ts';
import { eventsOf, greedyRequest } from './generate.ts';
import { startTiny, tokenIds } from './tiny-cluster.ts';

/** A prompt of which another sequence has computed the beginning is answered as if it had not. */

const compiled = temporaryCache();
afterAll(compiled.remove);

const ids = (count: number, seed: number): number[] => Array.from({ length: count }, (_, index) => 3 + ((index * index * 37 + index + seed * 11) % 250));
const system = ids(120, 1);

const drawn = (request: SequenceRequest, seed: bigint): SequenceRequest => ({ ...request, logprobs: 5, sampling: { ...request.sampling, seed, temperature: 0.9 } });

/** Prompts that share a system prompt, the first two alike to the end, one that parts from it within a chunk, one shorter than it, one that shares nothing. */
const PROMPTS = [[...system, ...ids(9, 2)], [...system, ...ids(9, 2)], [...system, ...ids(70, 3)], [...system.slice(0, 71), ...ids(20, 4)], system.slice(0, 64), ids(80, 5)];
const KNOWN_OF_WARM = [128, 128, 189, 90, 63, 79];

const REQUESTS = PROMPTS.map((promptIds) => greedyRequest(promptIds, 12));

const start = (options: Partial<LocalClusterOptions> = {}): Promise<LocalCluster> => startTiny({ cache: compiled.cache, ...options });

function statsOf(events: readonly SequenceEvent[]): SequenceStats {
  const last = events.at(-1);
  if (last?.kind !== 'done') throw new Error('the sequence is not done');
  return last.stats;
}

const cachedOf = (events: readonly SequenceEvent[]): number => statsOf(events).cachedPromptTokens;
const said = (events: readonly SequenceEvent[]): SequenceEvent[] => events.filter(({ kind }) => kind !== 'done');

/** Each by a cluster of its own. */
async function cold(requests: readonly SequenceRequest[], options: Partial<LocalClusterOptions>): Promise<SequenceEvent[][]> {
  const answers: SequenceEvent[][] = [];
  for (const request of requests) {
    await using cluster = await start(options);
    answers.push(await eventsOf(cluster.workers[0]!.engine, request));
    expect(cachedOf(answers.at(-1)!)).toBe(0);
  }
  return answers;
}

/** One after the other, and again: the second time nothing but each prompt's last token is computed. */
async function warm(requests: readonly SequenceRequest[], options: Partial<LocalClusterOptions>): Promise<SequenceEvent[][]> {
  await using cluster = await start(options);
  const { engine } = cluster.workers[0]!;
  for (const request of requests) await eventsOf(engine, request);
  const answers: SequenceEvent[][] = [];
  for (const request of requests) answers.push(await eventsOf(engine, request));
  expect(answers.map(cachedOf)).toEqual(KNOWN_OF_WARM);
  cluster.kv.checkIntegrity();
  return answers;
}

describe('prompts that begin alike', () => {
  it('get the greedy tokens that they get without the cache', async () => {
    expect((await warm(REQUESTS, {})).map(tokenIds)).toEqual((await cold(REQUESTS, {})).map(tokenIds));
  });

  it.each(KV_DTYPES)('get the same bits in deterministic mode with keys and values of %s, drawn tokens and logprobs', async (kvDtype) => {
    const requests = REQUESTS.map((request, nth) => drawn(request, BigInt(nth)));
    const options = { deterministic: true, kvDtype };
    expect((await warm(requests, options)).map(said)).toEqual((await cold(requests, options)).map(said));
  });

  it('get them also all at once, where one copies what another is still computing', async () => {
    const requests = REQUESTS.map((request, nth) => drawn(request, BigInt(nth)));
    await using cluster = await start({ deterministic: true });
    const together = await Promise.all(requests.map((request) => eventsOf(cluster.workers[0]!.engine, request)));
    expect(together.map(said)).toEqual((await cold(requests, { deterministic: true })).map(said));
    expect(together.map(cachedOf).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(system.length);
    expect(cluster.kv.usedBytes).toBe(0);
    cluster.kv.checkIntegrity();
  });
});

describe('a conversation', () => {
  it('computes of each turn only what is new, the answer before it included', async () => {
    await using cluster = await start();
    const { engine } = cluster.workers[0]!;
    const first = await eventsOf(engine, greedyRequest(system, 20));
    const soFar = [...system, ...tokenIds(first)];
    // The last token of an answer goes out without having been computed.
    expect(cachedOf(await eventsOf(engine, greedyRequest([...soFar, ...ids(10, 6)], 4)))).toBe(soFar.length - 1);
  });

  it('goes on from an answer whose reader left it', async () => {
    await using cluster = await start();
    const { engine } = cluster.workers[0]!;
    let taken = 0;
    for await (const event of engine.generate(greedyRequest(system, 50), new AbortController().signal)) if (event.kind === 'token' && ++taken === 3) break;
    expect(cachedOf(await eventsOf(engine, greedyRequest([...system, 9, 9], 4)))).toBeGreaterThanOrEqual(system.length);
  });
});

describe('nothing is copied', () => {
  it('for a prompt whose own logprobs are asked for: they are what they are without the cache', async () => {
    const request = { ...greedyRequest(PROMPTS[0]!, 4), promptLogprobs: 3 };
    await using cluster = await start({ deterministic: true });
    const { engine } = cluster.workers[0]!;
    await eventsOf(engine, greedyRequest(PROMPTS[0]!, 4));
    const answer = await eventsOf(engine, request);
    expect(cachedOf(answer)).toBe(0);
    expect(said(answer)).toEqual(said((await cold([request], { deterministic: true }))[0]!));
  });

  it('from a sequence that failed', async () => {
    await using cluster = await start({ workers: 2 });
    const { engine } = cluster.workers[0]!;
    await expect(eventsOf(engine, greedyRequest(system, 50), (tokens) => void (tokens === 5 && cluster.kill(cluster.workers[1]!.id)))).rejects.toBeInstanceOf(AppError);
    expect([cluster.kv.usedBytes, cluster.kv.keptBytes]).toEqual([0, 0]);
    cluster.kv.checkIntegrity();
  });
});
