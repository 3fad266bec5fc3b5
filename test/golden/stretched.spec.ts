import { afterAll, describe, expect, it } from 'vitest';
import { startLocalCluster } from '@essaim/testing';
import { temporaryCache } from './compiled.ts';
import { greedyRequest, tokensOf } from './generate.ts';
import { checkpointDirectory, logitsNames, readLogits } from './read-vectors.ts';

/** Positions past the original context, stretched by YaRN, with queries scaled where the model wants it: the same tokens on any cluster. */

const compiled = temporaryCache();
afterAll(compiled.remove);
const models = logitsNames().filter((name) => name.includes('yarn')).flatMap((name) => readLogits(name).checkpoints.map(({ folder }) => ({ name, folder })));

describe.each([{ workers: 1, threads: 1 }, { workers: 3, threads: 1 }, { workers: 1, threads: 2 }])('on $workers workers of $threads threads', ({ workers, threads }) => {
  it.each(models)('$folder continues its prompt with the greedy tokens of $name, whoever leads and whatever runs beside', async ({ name, folder }) => {
    await using cluster = await startLocalCluster({ directory: checkpointDirectory(folder), dtype: 'float32', deterministic: false, workers, replicas: 1, seed: 1, threads, cache: compiled.cache });
    const { promptIds, greedyIds } = readLogits(name);
    const beginnings = [0, 1, 11, 23];
    const answers = await Promise.all(beginnings.map((count, nth) => tokensOf(cluster.workers[nth % workers]!.engine, greedyRequest([...promptIds, ...greedyIds.slice(0, count)], greedyIds.length - count))));
    expect(answers).toEqual(beginnings.map((count) => greedyIds.slice(count)));
  });
});
