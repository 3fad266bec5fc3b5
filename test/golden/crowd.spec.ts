import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { type SequenceEvent, type SequenceRequest } from '@essaim/core';
import { temporaryCache } from './compiled.ts';
import { eventsOf, greedyRequest } from './generate.ts';
import { startTiny, tokenIds } from './tiny-cluster.ts';

/** Many sequences of all lengths together, prompts and answers mixed in every step: each is what it would be alone. */

const compiled = temporaryCache();
afterAll(compiled.remove);

const SEQUENCES = 40;
const LIMITS = { runningSequences: 12, stepTokens: 48, waitingSequences: SEQUENCES };

const promptIds = fc.array(fc.integer({ min: 3, max: 255 }), { minLength: 1, maxLength: 150 });
const maxTokens = fc.integer({ min: 1, max: 24 });
const greedy = fc.record({ promptIds, maxTokens }).map((length): SequenceRequest => greedyRequest(length.promptIds, length.maxTokens));
const drawn = fc.record({ request: greedy, seed: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), temperature: fc.constantFrom(0, 0.7, 1.5) })
  .map(({ request, seed, temperature }): SequenceRequest => ({ ...request, logprobs: 3, promptLogprobs: 1, sampling: { ...request.sampling, seed, temperature, topP: 0.9 } }));

/** The same ones each time. */
const requestsOf = (arbitrary: fc.Arbitrary<SequenceRequest>): SequenceRequest[] => fc.sample(arbitrary, { numRuns: SEQUENCES, seed: 1 });

interface Answers {
  readonly alone: readonly SequenceEvent[][];
  readonly together: readonly SequenceEvent[][];
}

/** The crowd is spread over two leads that share their experts. */
async function answersOf(requests: readonly SequenceRequest[], deterministic: boolean): Promise<Answers> {
  const steps: (readonly number[])[] = [];
  await using cluster = await startTiny({ cache: compiled.cache, deterministic, limits: LIMITS, onStep: (counts) => steps.push(counts) });
  const alone: SequenceEvent[][] = [];
  for (const request of requests) alone.push(await eventsOf(cluster.workers[0]!.engine, request));
  steps.length = 0;
  const together = await Promise.all(requests.map((request, nth) => eventsOf(cluster.workers[nth % 2]!.engine, request)));
  expect(steps.some((counts) => counts.includes(1) && counts.some((count) => count > 1))).toBe(true);
  expect(cluster.kv.usedBytes).toBe(0);
  return { alone, together };
}

/** All but who served it. */
const said = (events: readonly SequenceEvent[]): SequenceEvent[] => events.filter(({ kind }) => kind !== 'done');

describe('forty sequences together', () => {
  it('give the greedy tokens that each gives alone', async () => {
    const { alone, together } = await answersOf(requestsOf(greedy), false);
    expect(together.map(tokenIds)).toEqual(alone.map(tokenIds));
  });

  it('give the bits that each gives alone in deterministic mode, drawn tokens and all logprobs included', async () => {
    const { alone, together } = await answersOf(requestsOf(drawn), true);
    together.forEach((events, nth) => expect(said(events)).toEqual(said(alone[nth]!)));
  });
});
