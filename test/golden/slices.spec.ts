import { afterAll, describe, expect, it } from 'vitest';
import { openCheckpoint } from '@essaim/checkpoint';
import { type ModelSpec } from '@essaim/core';
import { openCheckpointFolder } from '@essaim/files';
import { slicesFor } from '@essaim/graph';
import { type LocalCluster, type LocalClusterOptions, startLocalCluster } from '@essaim/testing';
import { temporaryCache } from './compiled.ts';
import { greedyRequest, tokensOf } from './generate.ts';
import { perplexity } from './perplexity.ts';
import { checkpointDirectory, readGreedyRuns, readLogits, readPerplexity } from './read-vectors.ts';

/** A model cut into slices, each computed by a thread of its own, is the same model. */

const NEVER = new AbortController().signal;
const LOGIT_TOLERANCE = 2e-4;
const compiled = temporaryCache();
afterAll(compiled.remove);

const start = (folder: string, options: Partial<LocalClusterOptions> = {}): Promise<LocalCluster> =>
  startLocalCluster({ directory: checkpointDirectory(folder), dtype: 'float32', deterministic: false, workers: 1, replicas: 1, seed: 1, threads: 2, cache: compiled.cache, ...options });

describe('two slices', () => {
  it.each(['mixtral-top2-tied-f32', 'mistral-window-bf16', 'mixtral-top1-odd-sharded-f16', 'ministral3-yarn-tied-bf16', 'ministral3-yarn-corrected-window-f16', 'mistral-yarn-f32', 'mistral4-yarn-bf16', 'deepseek-v3-top8-tied-f16', 'deepseek-v3-yarn-fp8-blocks'])('give the logits of %s, in chunks and token by token', async (name) => {
    const vector = readLogits(name);
    await using cluster = await start(`test/golden/models/${name}`, { workers: 2 });
    const { runner } = cluster.workers[0]!;
    const tokenIds = [...vector.promptIds, ...vector.greedyIds];
    const cache = cluster.kv.reserve(tokenIds.length)!;
    const half = vector.promptIds.length >> 1;
    for (let first = 0, count = half; first < tokenIds.length; first += count, count = first < vector.promptIds.length ? vector.promptIds.length - first : 1) {
      const [output] = await runner.forward([{ cache, first, tokenIds: tokenIds.slice(first, first + count), logitsOfLast: count }], NEVER);
      for (let row = 0; row < count; row++) {
        for (let column = 0; column < vector.columns; column++) {
          const actual = output!.logits![row * vector.vocabularySize + column * vector.vocabularyStride]!;
          expect(Math.abs(actual - vector.logits[(first + row) * vector.columns + column]!)).toBeLessThan(LOGIT_TOLERANCE);
        }
      }
    }
    cache.release();
  });

  it('continue twenty prompts of the built-in model with the greedy tokens of the oracle, all at once over three workers', async () => {
    await using cluster = await start('deploy/models/petit', { workers: 3 });
    const runs = readGreedyRuns().runs;
    const answers = await Promise.all(runs.map(({ promptIds }, index) => tokensOf(cluster.workers[index % 3]!.engine, greedyRequest(promptIds, 64))));
    expect(answers).toEqual(runs.map(({ greedyIds }) => greedyIds));
  });

  it('cost nothing beyond what quantising costs', async () => {
    const vector = readPerplexity();
    await using cluster = await start('deploy/models/petit', { dtype: 'int4' });
    expect(await perplexity(cluster, vector) / vector.perplexity).toBeLessThan(1.06);
  });

  it('share the beginning of a prompt with an earlier one, and grow far beyond what was asked for first', async () => {
    await using cluster = await start('deploy/models/petit');
    const { engine } = cluster.workers[0]!;
    const { promptIds } = readGreedyRuns().runs[0]!;
    const once = await tokensOf(engine, greedyRequest(promptIds, 300));
    expect(await tokensOf(engine, greedyRequest([...promptIds, ...once.slice(0, 200)], 100))).toEqual(once.slice(200, 300));
    cluster.kv.checkIntegrity();
  });
});

describe('a model is cut into as many slices as it has', () => {
  const large = { attention: { kind: 'gqa', headCount: 16, kvHeadCount: 4, headSize: 64 }, hiddenSize: 1024, feedForward: { kind: 'dense', size: 3584 } };
  const slices = (changes: object, threads: number): number => slicesFor({ ...large, ...changes } as ModelSpec, threads);

  it('threads and key-value heads for', () => {
    expect([1, 2, 3, 4, 64].map((threads) => slices({}, threads))).toEqual([1, 2, 2, 4, 4]);
    expect(slices({ attention: { kind: 'gqa', headCount: 16, kvHeadCount: 1, headSize: 64 } }, 8)).toBe(1);
  });

  it('whole blocks of quantised weights for', () => {
    expect([3584 + 32, 3584 + 64].map((size) => slices({ feedForward: { kind: 'dense', size } }, 4))).toEqual([1, 2]);
  });

  it('work for: the built-in model is small, and whole', async () => {
    expect([640, 704].map((size) => slices({ feedForward: { kind: 'dense', size } }, 2))).toEqual([1, 2]);
    const checkpoint = await openCheckpoint(openCheckpointFolder(checkpointDirectory('deploy/models/petit')));
    await checkpoint.close();
    expect(slicesFor(checkpoint.spec, 2)).toBe(1);
  });
});
