import { afterAll, describe, expect, it } from 'vitest';
import { type WeightDtype } from '@essaim/core';
import { type LocalCluster, startLocalCluster } from '@essaim/testing';
import { temporaryCache } from './compiled.ts';
import { greedyRequest, tokensOf } from './generate.ts';
import { perplexity } from './perplexity.ts';
import { checkpointDirectory, logitsNames, readGreedyRuns, readLogits, readPerplexity, type LogitsVector } from './read-vectors.ts';

/** The engine against Hugging Face transformers, its experts spread over three workers. */

const NEVER = new AbortController().signal;
const LOGIT_TOLERANCE = 2e-4;
const compiled = temporaryCache();
afterAll(compiled.remove);

const start = (folder: string, { dtype = 'float32', deterministic = false }: { dtype?: WeightDtype; deterministic?: boolean } = {}): Promise<LocalCluster> =>
  startLocalCluster({ directory: checkpointDirectory(folder), dtype, deterministic, workers: 3, replicas: 1, seed: 1, cache: compiled.cache });

/** Largest difference of rows [firstRow, ...) of a vector to logits over the whole vocabulary. */
function difference(vector: LogitsVector, firstRow: number, logits: Float32Array): number {
  const rows = logits.length / vector.vocabularySize;
  let largest = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < vector.columns; column++) {
      const expected = vector.logits[(firstRow + row) * vector.columns + column]!;
      largest = Math.max(largest, Math.abs(logits[row * vector.vocabularySize + column * vector.vocabularyStride]! - expected));
    }
  }
  return largest;
}

const checkpoints = logitsNames().flatMap((name) => readLogits(name).checkpoints.map(({ folder }) => ({ name, folder })));

describe.each(['fast', 'deterministic'])('in %s mode', (mode) => {
  it.each(checkpoints)('$folder gives the logits of $name for the prompt and 32 decoded tokens', async ({ name, folder }) => {
    const vector = readLogits(name);
    await using cluster = await start(folder, { deterministic: mode === 'deterministic' });
    const { runner } = cluster.workers[0]!;
    const tokenIds = [...vector.promptIds, ...vector.greedyIds];
    const cache = cluster.kv.reserve(tokenIds.length)!;
    const [prompt] = await runner.forward([{ cache, first: 0, tokenIds: vector.promptIds, logitsOfLast: vector.promptIds.length }], NEVER);
    expect(prompt!.failure).toBeNull();
    expect(difference(vector, 0, prompt!.logits!)).toBeLessThan(LOGIT_TOLERANCE);
    for (let position = vector.promptIds.length; position < tokenIds.length; position++) {
      const [step] = await runner.forward([{ cache, first: position, tokenIds: [tokenIds[position]!], logitsOfLast: 1 }], NEVER);
      expect(difference(vector, position, step!.logits!)).toBeLessThan(LOGIT_TOLERANCE);
    }
    cache.release();
  });
});

describe('the built-in model', () => {
  const petit = 'deploy/models/petit';

  it('continues twenty prompts with the 64 greedy tokens of the oracle, all at once', async () => {
    await using cluster = await start(petit);
    const runs = readGreedyRuns().runs;
    expect(runs).toHaveLength(20);
    const answers = await Promise.all(runs.map(({ promptIds }, index) => tokensOf(cluster.workers[index % 3]!.engine, greedyRequest(promptIds, 64))));
    expect(answers).toEqual(runs.map(({ greedyIds }) => greedyIds));
  });

  // What quantising may cost, as perplexity on the held-back text over float32's.
  it.each([['float32', 1.00001], ['int8', 1.005], ['int4', 1.06]] as const)('at %s has at most %f times the perplexity of float32', async (dtype, most) => {
    const vector = readPerplexity();
    await using cluster = await start(petit, { dtype });
    expect(await perplexity(cluster, vector) / vector.perplexity).toBeLessThan(most);
  });
});
