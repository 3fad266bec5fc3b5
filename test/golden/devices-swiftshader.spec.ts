import { afterAll, describe, expect, it } from 'vitest';
import { startLocalCluster } from '@essaim/testing';
import { temporaryCache } from './compiled.ts';
import { softwareDevice } from './device.ts';
import { greedyRequest, tokensOf } from './generate.ts';
import { distances, logitsOf } from './logits-of.ts';
import { checkpointDirectory, readGreedyRuns, readLogits } from './read-vectors.ts';

/** One model of each kind of attention, and the built-in one, on SwiftShader: a driver without float16 and other than that of the other specs, in a process of its own. */

const LOGIT_TOLERANCE = 1e-3;
const SOFTWARE = softwareDevice();
const compiled = temporaryCache();
afterAll(compiled.remove);

const start = (folder: string) => startLocalCluster({ directory: checkpointDirectory(folder), dtype: 'float32', deterministic: false, workers: 1, replicas: 1, seed: 1, cache: compiled.cache, devices: [SOFTWARE] });

describe.skipIf(SOFTWARE === null)('SwiftShader (skipped without it)', () => {
  it.each(['mixtral-top2-tied-f32', 'mistral-window-bf16', 'mistral4-yarn-bf16'])('gives the logits of %s', async (name) => {
    const vector = readLogits(name);
    await using cluster = await start(vector.checkpoints[0]!.folder);
    for await (const { first, logits } of logitsOf(cluster, vector, 2)) expect(Math.max(...distances(vector, first, logits))).toBeLessThan(LOGIT_TOLERANCE);
  });

  it('says the 32 tokens of the oracle with the built-in model', async () => {
    await using cluster = await start('deploy/models/petit');
    const { promptIds, greedyIds } = readGreedyRuns().runs[0]!;
    expect(await tokensOf(cluster.workers[0]!.engine, greedyRequest(promptIds, 32))).toEqual(greedyIds.slice(0, 32));
  });
});
