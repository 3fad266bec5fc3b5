import { afterAll, describe, expect, it } from 'vitest';
import { GREEDY, type SequenceEvent, type SequenceRequest, type SequenceStats } from '@essaim/core';
import { type LocalCluster, type LocalClusterOptions, startLocalCluster } from '@essaim/testing';
import { temporaryCache } from './compiled.ts';
import { eventsOf, greedyRequest } from './generate.ts';
import { checkpointDirectory } from './read-vectors.ts';
import { startTiny, TINY, tinyVector } from './tiny-cluster.ts';

/** Guessed tokens change how soon an answer comes, and nothing of what it says. */

const NEVER = new AbortController().signal;
const STEP_TOKENS = 40;
const compiled = temporaryCache();
afterAll(compiled.remove);

const cycle = (count: number, period: number): number[] => Array.from({ length: count }, (_, index) => 5 + (((index % period) * 37) % 240));
const asked = (promptIds: readonly number[], changes: Partial<SequenceRequest> = {}): SequenceRequest => ({ ...greedyRequest(promptIds, 64), logprobs: 3, ...changes });
const drawn = (temperature: number, seed: bigint): Pick<SequenceRequest, 'sampling'> => ({ sampling: { ...GREEDY, temperature, topP: 0.9, seed } });

/** What repeats and what does not, greedy and drawn, with everything that has a say in which token is chosen, or when the answer ends. */
const REQUESTS: readonly SequenceRequest[] = [
  asked(cycle(30, 1)), asked(cycle(60, 5)), asked(cycle(100, 40)), asked(tinyVector.promptIds),
  // Three answers to one prompt.
  ...[1n, 2n, 3n].map((seed) => asked(cycle(24, 1), drawn(0.3, seed))),
  asked(cycle(50, 5), drawn(1, 4n)),
  asked(cycle(30, 1), { sampling: { ...GREEDY, repetitionPenalty: 1.3, presencePenalty: 0.5, frequencyPenalty: 0.2 } }),
  asked(cycle(30, 2), { sampling: { ...GREEDY, temperature: 0.7, logitBias: new Map([[5, 6], [42, 5]]), seed: 5n } }),
  asked(cycle(30, 1), { stopTokenIds: [113, 201], minTokens: 20 }),
  asked(cycle(30, 1), { stopTokenIds: [153] }),
  asked(cycle(30, 1), { promptLogprobs: 2, maxTokens: 33 }),
  asked(cycle(30, 1), { generatedIds: [153, 153, 153], ignoreEos: false }),
  ...[1, 2, 3, 7].map((maxTokens) => asked(cycle(40, 1), { maxTokens })),
];

const start = (options: Partial<LocalClusterOptions>, folder = `test/golden/models/${TINY}`): Promise<LocalCluster> =>
  startLocalCluster({
    directory: checkpointDirectory(folder), dtype: 'float32', deterministic: false, evenAttention: true, workers: 2, replicas: 1, seed: 1, cache: compiled.cache,
    limits: { stepTokens: STEP_TOKENS }, ...options,
  });

function statsOf(events: readonly SequenceEvent[]): SequenceStats {
  const last = events.at(-1);
  if (last?.kind !== 'done') throw new Error('the sequence is not done');
  return last.stats;
}

/** All but how it was computed. */
const said = (events: readonly SequenceEvent[]): object[] => events.map((event) => (event.kind === 'done' ? { finishReason: event.finishReason } : event));

/** One after the other, each in an engine that has seen nothing yet, or all together in two. */
async function answersOf(options: Partial<LocalClusterOptions>, how: 'alone' | 'together'): Promise<SequenceEvent[][]> {
  if (how === 'alone') {
    const answers: SequenceEvent[][] = [];
    for (const request of REQUESTS) {
      await using cluster = await start(options);
      answers.push(await eventsOf(cluster.workers[0]!.engine, request));
    }
    return answers;
  }
  const steps: number[] = [];
  await using cluster = await start({ ...options, onStep: (counts) => steps.push(counts.reduce((sum, count) => sum + count, 0)) });
  const answers = await Promise.all(REQUESTS.map((request, nth) => eventsOf(cluster.workers[nth % 2]!.engine, request)));
  expect(Math.max(...steps)).toBeLessThanOrEqual(STEP_TOKENS);
  expect(cluster.kv.usedBytes).toBe(0);
  cluster.kv.checkIntegrity();
  return answers;
}

const accepted = (answers: readonly SequenceEvent[][]): number => answers.reduce((sum, events) => sum + statsOf(events).acceptedDraftTokens, 0);

describe.each([false, true])('deterministic: %s', (deterministic) => {
  it.each([4, 8])('with %i guesses a step every request gets the same tokens, logprobs and end, to the last bit', async (draftTokens) => {
    const plain = await answersOf({ deterministic }, 'alone');
    expect(accepted(plain)).toBe(0);
    for (const how of ['alone', 'together'] as const) {
      const guessed = await answersOf({ deterministic, draftTokens }, how);
      guessed.forEach((events, nth) => expect(said(events)).toEqual(said(plain[nth]!)));
      expect(accepted(guessed)).toBeGreaterThan(50);
    }
  });
});

it('the built-in model gives the same tokens as without, where attention is not even, in far fewer steps', async () => {
  const requests = [asked(cycle(40, 40)), asked(cycle(60, 5), drawn(0.8, 3n))].map((request) => ({ ...request, logprobs: null }));
  const outcome = async (draftTokens: number) => {
    const steps: number[] = [];
    await using cluster = await start({ draftTokens, evenAttention: draftTokens > 0, onStep: ({ length }) => steps.push(length) }, 'deploy/models/petit');
    const answers: SequenceEvent[][] = [];
    for (const request of requests) answers.push(await eventsOf(cluster.workers[0]!.engine, request));
    return { answers, steps: steps.length };
  };
  const [plain, guessed] = [await outcome(0), await outcome(8)];
  expect(guessed.answers.map(said)).toEqual(plain.answers.map(said));
  const { acceptedDraftTokens } = statsOf(guessed.answers[0]!);
  expect(acceptedDraftTokens).toBeGreaterThan(40);
  expect(guessed.steps).toBe(plain.steps - accepted(guessed.answers));
});

it('guesses that were wrong leave nothing behind: who goes on from such an answer gets the bits that it gets elsewhere', async () => {
  const { promptIds } = tinyVector;
  await using guessing = await start({ draftTokens: 8 });
  const first = await eventsOf(guessing.workers[0]!.engine, asked(promptIds));
  expect(statsOf(first).rejectedDraftTokens).toBeGreaterThan(0);
  const soFar = [...promptIds, ...first.flatMap((event) => (event.kind === 'token' ? [event.id] : []))];
  const next = asked([...soFar, 9, 9]);
  const second = await eventsOf(guessing.workers[0]!.engine, next);
  expect(statsOf(second).cachedPromptTokens).toBeGreaterThanOrEqual(soFar.length - 1);
  await using plain = await start({});
  expect(said(second)).toEqual(said(await eventsOf(plain.workers[0]!.engine, next)));
});

it('a guess whose expert can\'t be reached is as good as none: the token before it is there', async () => {
  await using cluster = await startTiny({ cache: compiled.cache, workers: 8 });
  cluster.kill(cluster.workers[5]!.id);
  const forward = async (tokenIds: readonly number[], draftCount: number) => {
    const cache = cluster.kv.reserve(tokenIds.length)!;
    const [output] = await cluster.workers[0]!.runner.forward([{ cache, first: 0, tokenIds, logitsOfLast: tokenIds.length, draftCount }], NEVER);
    cache.release();
    return { failed: output!.failure !== null, soundDrafts: output!.soundDrafts, committed: cache.length };
  };
  const ids = Array.from({ length: 30 }, (_, index) => 3 + index);
  const alone = await Promise.all(ids.map((id) => forward([id], 0)));
  const reachable = ids.filter((_, index) => !alone[index]!.failed);
  expect(reachable.length % ids.length).toBeGreaterThan(0);
  const guessed = await Promise.all(ids.map((id) => forward([reachable[0]!, id, reachable[0]!], 2)));
  expect(guessed.every(({ failed, committed }) => !failed && committed === 1)).toBe(true);
  expect(new Set(guessed.map(({ soundDrafts }) => soundDrafts)).size).toBeGreaterThan(1);
  expect(Math.min(...guessed.map(({ soundDrafts }) => soundDrafts))).toBe(0);
});
