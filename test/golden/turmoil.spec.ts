import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { type SequenceEvent, type SequenceRequest } from '@essaim/core';
import { type LocalCluster } from '@essaim/testing';
import { temporaryCache } from './compiled.ts';
import { eventsOf, greedyRequest } from './generate.ts';
import { startTiny } from './tiny-cluster.ts';

/** Sequences that begin alike, in memory for a few of them, come, wait, leave and come again: nobody's answer shows anything of it. */

const compiled = temporaryCache();
afterAll(compiled.remove);

const MOST_TOKENS = 120;
/** Keys and values of 2 layers, one head of 16, as float32. */
const kvBytes = (tokens: number): number => tokens * 2 * 2 * 16 * Float32Array.BYTES_PER_ELEMENT;
const LIMITS = { runningSequences: 8, stepTokens: 40 };

interface Visitor {
  readonly request: SequenceRequest;
  /** Events after which its client leaves; null for one that stays. */
  readonly leavesAfter: number | null;
}

/** Of three texts each prompt is the beginning, some with an end of its own. */
const promptIds = fc.record({ text: fc.integer({ min: 1, max: 3 }), length: fc.integer({ min: 1, max: 90 }), end: fc.array(fc.integer({ min: 3, max: 255 }), { maxLength: 8 }) })
  .map(({ text, length, end }) => [...Array.from({ length }, (_, index) => 3 + (index * index * 31 + index * text * 7) % 250), ...end]);

const visitor = fc.record({
  promptIds, maxTokens: fc.integer({ min: 0, max: 20 }), seed: fc.bigInt({ min: 0n, max: 1n << 32n }),
  promptLogprobs: fc.constantFrom(null, null, 1), leavesAfter: fc.option(fc.integer({ min: 0, max: 12 }), { freq: 2 }),
}).map(({ promptIds, maxTokens, seed, promptLogprobs, leavesAfter }): Visitor => {
  const request = greedyRequest(promptIds, maxTokens);
  return { leavesAfter, request: { ...request, promptLogprobs, logprobs: 2, sampling: { ...request.sampling, temperature: Number(seed % 2n), seed } } };
});

/** All but who served it. */
const said = (events: readonly SequenceEvent[]): SequenceEvent[] => events.filter(({ kind }) => kind !== 'done');

async function visit({ workers }: LocalCluster, { request, leavesAfter }: Visitor): Promise<SequenceEvent[]> {
  const stop = new AbortController();
  if (leavesAfter === 0) queueMicrotask(() => stop.abort());
  const events: SequenceEvent[] = [];
  try {
    for await (const event of workers[0]!.engine.generate(request, stop.signal)) {
      events.push(event);
      if (events.length === leavesAfter) stop.abort();
    }
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: 'cancelled' });
  }
  return events;
}

/** What each says when nobody is there and nothing is known of those before: a sequence that takes all the memory has come in between. */
async function alone(requests: readonly SequenceRequest[]): Promise<SequenceEvent[][]> {
  await using cluster = await startTiny({ cache: compiled.cache, deterministic: true, kvBytes: kvBytes(MOST_TOKENS), limits: LIMITS });
  const answers: SequenceEvent[][] = [];
  for (const request of requests) {
    await visit(cluster, { request: greedyRequest([5], MOST_TOKENS - 1), leavesAfter: 1 });
    answers.push(said(await eventsOf(cluster.workers[0]!.engine, request)));
  }
  return answers;
}

describe('a crowd in turmoil', () => {
  it('gets the bits that each of it gets alone, leaves nothing behind, and is served again', async () => {
    await fc.assert(fc.asyncProperty(fc.array(visitor, { minLength: 10, maxLength: 24 }), async (visitors) => {
      expect(Math.max(...visitors.map(({ request }) => request.promptIds.length + request.maxTokens))).toBeLessThan(MOST_TOKENS);
      const expected = await alone(visitors.map(({ request }) => request));
      await using cluster = await startTiny({ cache: compiled.cache, deterministic: true, kvBytes: kvBytes(400), limits: LIMITS });
      const { engine } = cluster.workers[0]!;
      for (const round of ['some leave', 'all stay']) {
        const answers = await Promise.all(visitors.map((each) => visit(cluster, round === 'all stay' ? { ...each, leavesAfter: null } : each)));
        answers.forEach((events, nth) => {
          const stays = round === 'all stay' || visitors[nth]!.leavesAfter === null;
          expect(said(events)).toEqual(stays ? expected[nth] : expected[nth]!.slice(0, said(events).length));
        });
        await eventsOf(engine, greedyRequest([5], 1));
        expect([engine.runningSequences, engine.waitingSequences, cluster.kv.usedBytes]).toEqual([0, 0, 0]);
        cluster.kv.checkIntegrity();
      }
    }), { numRuns: 6 });
  });
});
