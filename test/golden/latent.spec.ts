import { afterAll, describe, expect, it } from 'vitest';
import { type LocalCluster, startLocalCluster } from '@essaim/testing';
import { temporaryCache } from './compiled.ts';
import { greedyRequest, tokensOf } from './generate.ts';
import { checkpointDirectory, latentLogitsNames, logitsRow, readLogits, type LogitsVector } from './read-vectors.ts';

/** Latent attention, shared experts and routers of every kind against Hugging Face transformers: logits, greedy tokens, and both layouts. */

const NEVER = new AbortController().signal;
const LOGIT_TOLERANCE = 2e-4;
/** In Mistral's layout, the weights of a fixture in Hugging Face's. */
const TWINS = [
  ['mistral4-yarn-bf16', 'mistral4-yarn-mistral-layout'], ['mistral4-yarn-uncorrected-bf16', 'mistral4-yarn-uncorrected-mistral-layout'],
] as const;
const compiled = temporaryCache();
afterAll(compiled.remove);

const start = (folder: string, { workers = 1, threads = 1, deterministic = false }: { workers?: number; threads?: number; deterministic?: boolean } = {}): Promise<LocalCluster> =>
  startLocalCluster({ directory: checkpointDirectory(folder), dtype: 'float32', deterministic, workers, replicas: 1, seed: 1, threads, cache: compiled.cache });

const checkpoints = [
  ...latentLogitsNames().flatMap((name) => readLogits(name).checkpoints.map(({ folder }) => ({ name, folder }))),
  ...TWINS.map(([name, twin]) => ({ name, folder: `test/golden/models/${twin}` })),
];

/** Largest difference of `logits`, [rows, vocabulary], to the rows of the vector from `firstRow` on. */
function difference(vector: LogitsVector, firstRow: number, logits: Float32Array): number {
  let largest = 0;
  logits.forEach((logit, index) => {
    const expected = logitsRow(vector, firstRow + Math.floor(index / vector.columns))[index % vector.columns]!;
    largest = Math.max(largest, Math.abs(logit - expected));
  });
  return largest;
}

describe.each(['fast', 'deterministic'])('in %s mode', (mode) => {
  it.each(checkpoints)('$folder gives the logits of $name for the prompt, in two chunks, and 32 decoded tokens', async ({ name, folder }) => {
    const vector = readLogits(name);
    await using cluster = await start(folder, { workers: 3, deterministic: mode === 'deterministic' });
    const { runner } = cluster.workers[0]!;
    const tokenIds = [...vector.promptIds, ...vector.greedyIds];
    const cache = cluster.kv.reserve(tokenIds.length)!;
    const ends = [17, ...[...tokenIds.keys()].filter((end) => end >= vector.promptIds.length), tokenIds.length];
    for (const [step, end] of ends.entries()) {
      const first = step === 0 ? 0 : ends[step - 1]!;
      const [output] = await runner.forward([{ cache, first, tokenIds: tokenIds.slice(first, end), logitsOfLast: end - first }], NEVER);
      expect(output!.failure).toBeNull();
      expect(difference(vector, first, output!.logits!)).toBeLessThan(LOGIT_TOLERANCE);
    }
    cache.release();
  });
});

describe.each([{ workers: 1, threads: 1 }, { workers: 3, threads: 1 }, { workers: 1, threads: 2 }])('on $workers workers of $threads threads', ({ workers, threads }) => {
  it.each(checkpoints)('$folder continues its prompt with the greedy tokens of $name, whoever leads and whatever runs beside', async ({ name, folder }) => {
    await using cluster = await start(folder, { workers, threads });
    const { promptIds, greedyIds } = readLogits(name);
    const beginnings = [0, 1, 11, 23];
    const answers = await Promise.all(beginnings.map((count, nth) => tokensOf(cluster.workers[nth % workers]!.engine, greedyRequest([...promptIds, ...greedyIds.slice(0, count)], greedyIds.length - count))));
    expect(answers).toEqual(beginnings.map((count) => greedyIds.slice(count)));
  });
});

describe('in Mistral\'s layout', () => {
  /** [tokens, vocabulary] of the prompt. */
  async function promptLogits(name: string, { promptIds }: LogitsVector): Promise<Float32Array> {
    await using cluster = await start(`test/golden/models/${name}`, { deterministic: true });
    const cache = cluster.kv.reserve(promptIds.length)!;
    const [output] = await cluster.workers[0]!.runner.forward([{ cache, first: 0, tokenIds: promptIds, logitsOfLast: promptIds.length }], NEVER);
    cache.release();
    return output!.logits!;
  }

  it.each(TWINS)('%s gives the same logits to the bit', async (huggingFace, mistral) => {
    const vector = readLogits(huggingFace);
    expect(await promptLogits(mistral, vector)).toEqual(await promptLogits(huggingFace, vector));
  });
});
