import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { type KvDtype } from '@essaim/core';
import { type LocalCluster, type LocalWorker, startLocalCluster } from '@essaim/testing';
import { temporaryCache } from './compiled.ts';
import { checkpointDirectory, readLogits, type LogitsVector } from './read-vectors.ts';
import { startTiny, tinyVector } from './tiny-cluster.ts';

/** In which chunks a prompt is computed changes nothing. */

const NEVER = new AbortController().signal;
const LOGIT_TOLERANCE = 2e-4;
const compiled = temporaryCache();
afterAll(compiled.remove);

const start = (vector: LogitsVector, deterministic: boolean, kvDtype: KvDtype = 'f32'): Promise<LocalCluster> =>
  startLocalCluster({ directory: checkpointDirectory(vector.checkpoints[0]!.folder), dtype: 'float32', kvDtype, deterministic, workers: 2, replicas: 1, seed: 1, cache: compiled.cache });

/** Logits of every token [tokenIds, vocab], computed in chunks of these sizes. */
async function logitsInChunks({ workers, kv, spec }: LocalCluster, tokenIds: readonly number[], sizes: readonly number[]): Promise<Float32Array> {
  const cache = kv.reserve(tokenIds.length)!;
  const logits = new Float32Array(tokenIds.length * spec.vocabSize);
  let first = 0;
  for (const size of sizes) {
    const [output] = await workers[0]!.runner.forward([{ cache, first, tokenIds: tokenIds.slice(first, first + size), logitsOfLast: size }], NEVER);
    expect([output!.failure, cache.length]).toEqual([null, first + size]);
    logits.set(output!.logits!, first * spec.vocabSize);
    first += size;
  }
  cache.release();
  return logits;
}

/** So many tokens in chunks of `size`, the last one smaller where it does not come out even. */
const evenly = (tokens: number, size: number): number[] => Array.from({ length: Math.ceil(tokens / size) }, (_, chunk) => Math.min(size, tokens - chunk * size));

/** Any sizes that sum to `tokens`: the gaps between some places to cut. */
const anySizes = (tokens: number): fc.Arbitrary<number[]> =>
  fc.uniqueArray(fc.integer({ min: 1, max: tokens - 1 })).map((cuts) => [0, ...cuts.sort((a, b) => a - b), tokens]).map((edges) => edges.slice(1).map((edge, nth) => edge - edges[nth]!));

function expectOracle(vector: LogitsVector, logits: Float32Array): void {
  let largest = 0;
  logits.forEach((logit, index) => (largest = Math.max(largest, Math.abs(logit - vector.logits[index]!))));
  expect(largest).toBeLessThan(LOGIT_TOLERANCE);
}

describe.each(['mistral-window-bf16', 'mixtral-top1-odd-sharded-f16', 'mistral4-yarn-uncorrected-bf16'])('%s', (name) => {
  const vector = readLogits(name);
  const tokenIds = [...vector.promptIds, ...vector.greedyIds];

  it.each([1, 5, 7, 40])('gives the oracle\'s logits in chunks of %i', async (size) => {
    for (const deterministic of [false, true]) {
      await using cluster = await start(vector, deterministic);
      expectOracle(vector, await logitsInChunks(cluster, tokenIds, evenly(tokenIds.length, size)));
    }
  });

  const long = Array.from({ length: 300 }, (_, index) => 3 + (index * index * 37) % 150);

  it.each([['a short', 'f32', tokenIds], ['a long', 'f32', long], ['a long', 'bf16', long]] as const)('gives %s prompt with keys and values of %s the same bits in any chunks in deterministic mode', async (_how, kvDtype, tokenIds) => {
    await using cluster = await start(vector, true, kvDtype);
    const whole = await logitsInChunks(cluster, tokenIds, [tokenIds.length]);
    await fc.assert(fc.asyncProperty(anySizes(tokenIds.length), async (sizes) => {
      const chunked = await logitsInChunks(cluster, tokenIds, sizes);
      expect(chunked.findIndex((logit, index) => logit !== whole[index])).toBe(-1);
    }), { numRuns: 20 });
  });
});

describe('a step in which an expert can\'t be reached', () => {
  it('commits nothing of the items that needed it, and all of the others', async () => {
    await using cluster = await startTiny({ cache: compiled.cache, workers: 8 });
    const { runner } = cluster.workers[0]!;
    const prompts = Array.from({ length: 40 }, (_, nth) => [3 + nth]);
    const caches = prompts.map(() => cluster.kv.reserve(4)!);
    const forward = () => runner.forward(prompts.map((tokenIds, nth) => ({ cache: caches[nth]!, first: 0, tokenIds, logitsOfLast: 1 })), NEVER);
    cluster.kill(cluster.workers[5]!.id);
    const outputs = await forward();
    const failed = outputs.map(({ failure }) => failure !== null);
    expect(new Set(failed)).toEqual(new Set([true, false]));
    outputs.forEach(({ failure, logits }, nth) => {
      expect(caches[nth]!.length).toBe(failed[nth] ? 0 : 1);
      expect(logits === null).toBe(failed[nth]);
      if (failure !== null) expect(failure).toMatchObject({ code: 'unavailable', message: expect.stringMatching(/expert \d+ has no reachable replica/) as string });
    });
    caches.forEach((cache) => cache.release());
  });

  it('changes no bit of what is computed in the same cache afterwards', async () => {
    const { promptIds } = tinyVector;
    await using cluster = await startTiny({ cache: compiled.cache, workers: 2, deterministic: true });
    // Who died can still lead, with experts of its own: only nobody else reaches them.
    const [broken, sound] = cluster.workers;
    cluster.kill(sound!.id);
    const cache = cluster.kv.reserve(promptIds.length)!;
    const forward = ({ runner }: LocalWorker, first: number, tokenIds: readonly number[]) => runner.forward([{ cache, first, tokenIds, logitsOfLast: tokenIds.length }], NEVER);
    await forward(sound!, 0, promptIds.slice(0, 9));
    const [failed] = await forward(broken!, 9, promptIds.slice(9).toReversed());
    expect([failed!.failure?.code, cache.length]).toEqual(['unavailable', 9]);
    const [output] = await forward(sound!, 9, promptIds.slice(9));
    cache.release();
    await using whole = await startTiny({ cache: compiled.cache, workers: 2, deterministic: true });
    const expected = await logitsInChunks(whole, promptIds, [promptIds.length]);
    expect(output!.logits).toEqual(expected.subarray(9 * whole.spec.vocabSize));
  });
});
