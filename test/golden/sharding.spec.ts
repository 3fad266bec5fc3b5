import { afterAll, describe, expect, it } from 'vitest';
import { type SequenceEvent, type SequenceRequest } from '@essaim/core';
import { type LocalCluster, type LocalClusterOptions, startLocalCluster } from '@essaim/testing';
import { temporaryCache } from './compiled.ts';
import { eventsOf, greedyRequest, tokensOf } from './generate.ts';
import { checkpointDirectory, logitsNames, readGreedyRuns, readLogits } from './read-vectors.ts';

/** Where experts live, how many copies there are and what runs beside changes nothing of an answer. */

const LOGPROB_TOLERANCE = 1e-4;
const compiled = temporaryCache();
afterAll(compiled.remove);

const start = (options: Pick<LocalClusterOptions, 'workers' | 'replicas' | 'seed' | 'deterministic'>): Promise<LocalCluster> =>
  startLocalCluster({ directory: checkpointDirectory('deploy/models/petit'), dtype: 'float32', cache: compiled.cache, ...options });

const PROMPTS = readGreedyRuns().runs.slice(8, 12).map(({ promptIds }) => promptIds);
const PLACEMENTS = [2, 3, 5].flatMap((workers) => [1, 2].flatMap((replicas) => [1, 2].map((seed) => ({ workers, replicas, seed }))));

/** Half of them greedy, half drawn: the draw must not depend on the placement either. */
const request = (promptIds: readonly number[], nth: number): SequenceRequest => {
  const greedy = greedyRequest(promptIds, 24);
  return { ...greedy, logprobs: 5, sampling: nth % 2 === 0 ? greedy.sampling : { ...greedy.sampling, temperature: 0.8, topP: 0.95, seed: BigInt(nth) } };
};

const answersOf = (cluster: LocalCluster): Promise<SequenceEvent[][]> =>
  Promise.all(PROMPTS.map((promptIds, nth) => eventsOf(cluster.workers[nth % cluster.workers.length]!.engine, request(promptIds, nth))));

/** Tokens and logprobs, without the statistics of who served. */
const emitted = (events: readonly SequenceEvent[]): SequenceEvent[] => events.filter(({ kind }) => kind === 'token');

function expectClose(actual: readonly SequenceEvent[], expected: readonly SequenceEvent[]): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((event, index) => {
    const other = expected[index]!;
    if (event.kind !== 'token' || other.kind !== 'token') return;
    expect(event.id).toBe(other.id);
    expect(Math.abs(event.logprobs!.logprob - other.logprobs!.logprob)).toBeLessThan(LOGPROB_TOLERANCE);
  });
}

describe('placements', () => {
  const answersOfOne = async (deterministic: boolean): Promise<SequenceEvent[][]> => {
    await using alone = await start({ workers: 1, replicas: 1, seed: 1, deterministic });
    return await answersOf(alone);
  };

  it.each(PLACEMENTS)('$workers workers, $replicas replicas, shuffle $seed: the same tokens, logprobs within 1e-4', async (placement) => {
    await using spread = await start({ ...placement, deterministic: false });
    const [expected, actual] = [await answersOfOne(false), await answersOf(spread)];
    actual.forEach((events, index) => expectClose(emitted(events), emitted(expected[index]!)));
  });

  it.each(PLACEMENTS)('$workers workers, $replicas replicas, shuffle $seed, deterministic: the same to the last bit', async (placement) => {
    await using spread = await start({ ...placement, deterministic: true });
    expect((await answersOf(spread)).map(emitted)).toEqual((await answersOfOne(true)).map(emitted));
  });
});

describe.each(logitsNames().filter((name) => name !== 'petit'))('%s', (name) => {
  const { promptIds, greedyIds } = readLogits(name);
  const answersOn = async (workers: number): Promise<SequenceEvent[][]> => {
    await using cluster = await startLocalCluster({ directory: checkpointDirectory(`test/golden/models/${name}`), dtype: 'float32', cache: compiled.cache, workers, replicas: 1, seed: workers, deterministic: true });
    const prompts = [promptIds, promptIds.slice(0, 5), [...promptIds, ...greedyIds], promptIds.toReversed()];
    return (await Promise.all(prompts.map((prompt, nth) => eventsOf(cluster.workers[nth % workers]!.engine, request(prompt, nth))))).map(emitted);
  };

  it('on 1, 3 and 4 workers, deterministic: the same to the last bit', async () => {
    const alone = await answersOn(1);
    expect(alone[0]!.map((event) => (event.kind === 'token' ? event.id : null))).toEqual(greedyIds.slice(0, alone[0]!.length));
    expect(await answersOn(3)).toEqual(alone);
    expect(await answersOn(4)).toEqual(alone);
  });
});

describe('deterministic mode', () => {
  it('gives a request the same bits alone and among sixteen', async () => {
    await using cluster = await start({ workers: 3, replicas: 1, seed: 3, deterministic: true });
    const { engine } = cluster.workers[0]!;
    const alone: SequenceEvent[][] = [];
    for (const [nth, promptIds] of PROMPTS.entries()) alone.push(emitted(await eventsOf(engine, request(promptIds, nth))));
    const crowd = await Promise.all(Array.from({ length: 16 }, (_, nth) => eventsOf(engine, request(PROMPTS[nth % 4]!, nth % 4))));
    crowd.forEach((events, nth) => expect(emitted(events)).toEqual(alone[nth % 4]));
  });

  it('gives the same bits when a worker dies in the middle of sixteen answers and every expert has another replica', async () => {
    await using cluster = await start({ workers: 3, replicas: 2, seed: 4, deterministic: true });
    const { engine } = cluster.workers[0]!;
    const undisturbed = await Promise.all(PROMPTS.map((promptIds, nth) => eventsOf(engine, request(promptIds, nth))));
    const killAfter = (count: number): void => void (count === 8 && cluster.kill(cluster.workers[2]!.id));
    const crowd = await Promise.all(Array.from({ length: 16 }, (_, nth) => eventsOf(engine, request(PROMPTS[nth % 4]!, nth % 4), killAfter)));
    crowd.forEach((events, nth) => expect(emitted(events)).toEqual(emitted(undisturbed[nth % 4]!)));
    const retried = crowd.map((events) => events.at(-1)!).reduce((sum, event) => sum + (event.kind === 'done' ? event.stats.retriedExpertCalls : 0), 0);
    expect(retried).toBeGreaterThan(0);
  });

  it('gives the same bits when an answer is continued elsewhere from the tokens emitted so far', async () => {
    await using cluster = await start({ workers: 2, replicas: 1, seed: 5, deterministic: true });
    const [first, second] = cluster.workers;
    for (const [nth, promptIds] of PROMPTS.entries()) {
      const whole = emitted(await eventsOf(first!.engine, request(promptIds, nth)));
      for (const cut of [1, 9, 23]) {
        const generatedIds = whole.slice(0, cut).map((event) => (event.kind === 'token' ? event.id : 0));
        expect(emitted(await eventsOf(second!.engine, { ...request(promptIds, nth), generatedIds }))).toEqual(whole.slice(cut));
      }
    }
  });
});

describe('an expert whose only replica is lost', () => {
  it('fails the sequences that need it with a sentence, and frees all they held', async () => {
    await using cluster = await start({ workers: 3, replicas: 1, seed: 6, deterministic: false });
    cluster.kill(cluster.workers[1]!.id);
    const { engine } = cluster.workers[0]!;
    await expect(tokensOf(engine, greedyRequest(PROMPTS[0]!, 8))).rejects.toMatchObject({ code: 'unavailable', message: expect.stringMatching(/expert \d+ .*replica/) as string });
    expect(engine.runningSequences + engine.waitingSequences).toBe(0);
    expect(cluster.kv.usedBytes).toBe(0);
  });
});
