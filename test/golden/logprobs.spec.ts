import { afterAll, describe, expect, it } from 'vitest';
import { LIMITS, type PositionLogprobs, type SequenceEvent } from '@essaim/core';
import { startLocalCluster, type LocalClusterOptions } from '@essaim/testing';
import { temporaryCache } from './compiled.ts';
import { eventsOf, greedyRequest } from './generate.ts';
import { checkpointDirectory, logitsNames, logitsRow, readLogits, type LogitsVector } from './read-vectors.ts';
import { startTiny, tinyVector } from './tiny-cluster.ts';

/** Log probabilities of prompts and answers against those that the oracle's logits give. */

const TOLERANCE = 4e-4;
const compiled = temporaryCache();
afterAll(compiled.remove);

const vectors = logitsNames().filter((name) => name !== 'petit').map(readLogits);
const start = (vector: LogitsVector, limits: LocalClusterOptions['limits'] = {}) =>
  startLocalCluster({ directory: checkpointDirectory(vector.checkpoints[0]!.folder), dtype: 'float32', deterministic: false, workers: 2, replicas: 1, seed: 1, cache: compiled.cache, limits });

/** All of a row, likeliest first: what a row of logits says of the token after it. */
function expectedRow(vector: LogitsVector, row: number): { readonly of: (id: number) => number; readonly best: readonly number[] } {
  const logits = logitsRow(vector, row);
  const of = (id: number): number => logits[id]! - vector.logSumExps[row]!;
  return { of, best: Array.from(logits.keys()).sort((a, b) => logits[b]! - logits[a]!) };
}

function expectAsOracle(vector: LogitsVector, row: number, { id, actual }: { readonly id: number; readonly actual: PositionLogprobs }): void {
  const expected = expectedRow(vector, row);
  expect(Math.abs(actual.logprob - expected.of(id))).toBeLessThan(TOLERANCE);
  actual.top.forEach((alternative, nth) => {
    expect(Math.abs(alternative.logprob - expected.of(alternative.id))).toBeLessThan(TOLERANCE);
    // By value, not by id: neighbours within the tolerance may change places.
    expect(Math.abs(alternative.logprob - expected.of(expected.best[nth]!))).toBeLessThan(TOLERANCE);
  });
}

const promptOf = (events: readonly SequenceEvent[]): readonly (PositionLogprobs | null)[] => events.flatMap((event) => (event.kind === 'prompt' ? event.logprobs : []));
const answerOf = (events: readonly SequenceEvent[]): { readonly id: number; readonly logprobs: PositionLogprobs }[] =>
  events.flatMap((event) => (event.kind === 'token' ? [{ id: event.id, logprobs: event.logprobs! }] : []));

describe.each(vectors)('$name', (vector) => {
  it.each([['whole', 64], ['in chunks of five tokens', 5], ['in chunks of two', 2]])('gives the oracle\'s logprobs for a prompt computed %s', async (_how, stepTokens) => {
    await using cluster = await start(vector, { stepTokens, runningSequences: 1 });
    const events = await eventsOf(cluster.workers[0]!.engine, { ...greedyRequest(vector.promptIds, 1), promptLogprobs: 5 });
    expect(events.map(({ kind }) => kind)).toEqual(['prompt', 'token', 'done']);
    const [first, ...others] = promptOf(events);
    expect(first).toBeNull();
    expect(others).toHaveLength(vector.promptIds.length - 1);
    others.forEach((actual, index) => {
      expect(actual!.top).toHaveLength(5);
      expectAsOracle(vector, index, { id: vector.promptIds[index + 1]!, actual: actual! });
    });
  });

  it('gives the oracle\'s logprobs for each token of an answer', async () => {
    await using cluster = await start(vector);
    const answer = answerOf(await eventsOf(cluster.workers[0]!.engine, { ...greedyRequest(vector.promptIds, vector.greedyIds.length), logprobs: LIMITS.topLogprobs }));
    expect(answer.map(({ id }) => id)).toEqual(vector.greedyIds);
    answer.forEach(({ id, logprobs }, nth) => expectAsOracle(vector, vector.promptIds.length - 1 + nth, { id, actual: logprobs }));
  });
});

describe('the alternatives of a token', () => {
  const sampled = { ...greedyRequest(tinyVector.promptIds, 40), sampling: { ...greedyRequest([], 0).sampling, temperature: 1, seed: 7n } };

  it.each([1, 5, LIMITS.topLogprobs])('are the %i likeliest, best first, agree with the token\'s own value and are no more than all', async (top) => {
    await using cluster = await startTiny({ cache: compiled.cache });
    const answer = answerOf(await eventsOf(cluster.workers[0]!.engine, { ...sampled, logprobs: top }));
    expect(new Set(answer.map(({ id, logprobs }) => id === logprobs.top[0]!.id))).toEqual(new Set([true, false]));
    for (const { id, logprobs } of answer) {
      const values = logprobs.top.map(({ logprob }) => logprob);
      expect(new Set(logprobs.top.map((each) => each.id)).size).toBe(top);
      expect(values).toEqual(values.toSorted((a, b) => b - a));
      expect(values.reduce((sum, value) => sum + Math.exp(value), 0)).toBeLessThanOrEqual(1 + 1e-6);
      const own = logprobs.top.find((each) => each.id === id);
      if (own === undefined) expect(logprobs.logprob).toBeLessThanOrEqual(values.at(-1)!);
      else expect(logprobs.logprob).toBe(own.logprob);
    }
  });

  it('are none where none are asked for, and the token\'s own value still comes', async () => {
    await using cluster = await startTiny({ cache: compiled.cache });
    const { engine } = cluster.workers[0]!;
    for (const { logprobs } of answerOf(await eventsOf(engine, { ...sampled, logprobs: 0 }))) expect(logprobs).toEqual({ logprob: expect.any(Number) as number, top: [] });
    for (const { logprobs } of answerOf(await eventsOf(engine, sampled))) expect(logprobs).toBeNull();
  });

  it('are of the model itself: penalties, bias, temperature and filters change the choice, not what is reported', async () => {
    await using cluster = await startTiny({ cache: compiled.cache });
    const forced = { ...sampled.sampling, logitBias: new Map([[77, 1000]]), repetitionPenalty: 1.5, presencePenalty: 1, topK: 3 };
    const [first] = answerOf(await eventsOf(cluster.workers[0]!.engine, { ...sampled, sampling: forced, logprobs: 5 }));
    expect(first!.id).toBe(77);
    expectAsOracle(tinyVector, tinyVector.promptIds.length - 1, { id: 77, actual: first!.logprobs });
  });
});
