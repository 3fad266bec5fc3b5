import { afterAll, describe, expect, it } from 'vitest';
import { GREEDY, type SamplingParams } from '@essaim/core';
import { type LocalCluster, startLocalCluster } from '@essaim/testing';
import { temporaryCache } from './compiled.ts';
import { quickDevice } from './device.ts';
import { greedyRequest, tokensOf } from './generate.ts';
import { readGreedyRuns, readLogits } from './read-vectors.ts';

/** Of a device's logits only the best few come to the host, where these are enough. */

const NEVER = new AbortController().signal;
const SOFTWARE = quickDevice();
const compiled = temporaryCache();
afterAll(compiled.remove);

const start = (directory: string): Promise<LocalCluster> =>
  startLocalCluster({ directory, dtype: 'float32', deterministic: false, workers: 1, replicas: 1, seed: 1, cache: compiled.cache, devices: [SOFTWARE!] });

describe.skipIf(SOFTWARE === null)('the best logits of a device (skipped without Mesa\'s llvmpipe and SwiftShader)', () => {
  it.each([
    ['deploy/models/petit', readGreedyRuns().runs[0]!.promptIds],
    // Its vocabulary is no whole number of blocks.
    ['test/golden/models/mixtral-top4-fused-bf16', readLogits('mixtral-top4-fused-bf16').promptIds],
  ])('of %s are those that all logits have, unless all are wanted after all', async (folder, promptIds) => {
    await using cluster = await start(folder);
    const { runner, kv } = cluster.workers[0]!;
    const forward = async (isEnough: () => boolean) => {
      const cache = kv.reserve(promptIds.length)!;
      const [output] = await runner.forward([{ cache, first: 0, tokenIds: promptIds, logitsOfLast: 2, few: { count: 5, sharpness: 1.5, isEnough } }], NEVER);
      cache.release();
      return output!;
    };
    const { few, logits: none } = await forward(() => true);
    const { few: noFew, logits } = await forward(() => false);
    expect([none, noFew]).toEqual([null, null]);
    for (const [nth, { ids, logits: best, restAtMost, mass, softMass }] of few!.entries()) {
      const row = logits!.subarray((nth * logits!.length) / 2, ((nth + 1) * logits!.length) / 2);
      expect(ids.length).toBeGreaterThanOrEqual(5);
      expect([...ids]).toEqual([...row.keys()].filter((id) => row[id]! > restAtMost));
      expect([...best]).toEqual([...ids].map((id) => row[id]));
      const top = Math.max(...best);
      for (const [sum, sharpness] of [[mass, 1], [softMass, 1.5]] as const) expect(sum / row.reduce((all, logit) => all + Math.exp((logit - top) * sharpness), 0)).toBeCloseTo(1, 5);
    }
  });

  it('give the tokens that all logits give, greedy and drawn', async () => {
    await using cluster = await start('deploy/models/petit');
    const [{ engine }] = cluster.workers as [LocalCluster['workers'][number]];
    const request = greedyRequest(readGreedyRuns().runs[1]!.promptIds, 8);
    const ways: readonly Partial<SamplingParams>[] = [{}, { temperature: 0.8, seed: 3n }, { temperature: 1.2, topK: 20, topP: 0.9, seed: 5n }, { temperature: 1, minP: 0.1, seed: 7n }];
    // A bias of nothing: the host looks at all logits.
    const [fromFew, fromAll] = [new Map<number, number>(), new Map([[7, 0]])].map((logitBias) => Promise.all(ways.map((params) => tokensOf(engine, { ...request, sampling: { ...GREEDY, ...params, logitBias } }))));
    expect(await fromFew).toEqual(await fromAll);
  });
});
