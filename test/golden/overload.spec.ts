import { afterAll, describe, expect, it } from 'vitest';
import { AppError } from '@essaim/core';
import { kvBytesPerToken } from '@essaim/kv';
import { temporaryCache } from './compiled.ts';
import { greedyRequest, tokensOf } from './generate.ts';
import { startTiny, tinyVector } from './tiny-cluster.ts';

/** Memory for two sequences and fifty that come at once: nothing is lost. */

const { promptIds, greedyIds } = tinyVector;
const compiled = temporaryCache();
afterAll(compiled.remove);

const REQUESTS = 50;
const WAITING = 30;

describe('a lead with hardly any memory for keys and values', () => {
  it('answers those that it takes, in order, and refuses the rest with the sentence that says why', async () => {
    await using cluster = await startTiny({ cache: compiled.cache, limits: { waitingSequences: WAITING } });
    const { engine } = cluster.workers[0]!;
    const tokens = promptIds.length + greedyIds.length;
    const spare = cluster.kv.reserve(cluster.kv.budgetBytes / kvBytesPerToken(cluster.kv.layout) - 2 * tokens)!;
    const order: number[] = [];
    const answers = await Promise.allSettled(Array.from({ length: REQUESTS }, async (_, nth) => {
      const answer = await tokensOf(engine, greedyRequest(nth % 2 === 0 ? promptIds : promptIds.toReversed(), greedyIds.length));
      order.push(nth);
      return { nth, answer };
    }));
    const taken = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []));
    expect(refused).toEqual(new Array(REQUESTS - taken.length).fill(new AppError('resource_exhausted', `${WAITING} sequences wait on this worker already: try again later`)));
    expect(taken.length).toBeGreaterThanOrEqual(WAITING);
    expect(order).toEqual(order.toSorted((one, other) => one - other));
    for (const { nth, answer } of taken) if (nth % 2 === 0) expect(answer).toEqual(greedyIds);
    expect([engine.runningSequences, engine.waitingSequences]).toEqual([0, 0]);
    spare.release();
    expect(cluster.kv.usedBytes).toBe(0);
    cluster.kv.checkIntegrity();
  });
});
