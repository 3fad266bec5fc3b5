import { afterAll, expect, it } from 'vitest';
import { startLocalCluster } from '@essaim/testing';
import { temporaryCache } from './compiled.ts';
import { checkpointDirectory, readLogits } from './read-vectors.ts';

/** One model in the two layouts in which it may be published. */

const compiled = temporaryCache();
afterAll(compiled.remove);
const vector = readLogits('mistral-window-bf16');

/** [tokens, vocab] of the prompt. */
async function promptLogits(folder: string): Promise<Float32Array> {
  await using cluster = await startLocalCluster({ directory: checkpointDirectory(folder), dtype: 'int8', deterministic: true, workers: 1, replicas: 1, seed: 1, cache: compiled.cache });
  const cache = cluster.kv.reserve(vector.promptIds.length)!;
  const [output] = await cluster.workers[0]!.runner.forward([{ cache, first: 0, tokenIds: vector.promptIds, logitsOfLast: vector.promptIds.length }], new AbortController().signal);
  cache.release();
  return output!.logits!;
}

it('gives the same logits to the bit in Mistral\'s layout and in Hugging Face\'s', async () => {
  expect(await promptLogits('test/golden/models/mistral-window-mistral-layout')).toEqual(await promptLogits('test/golden/models/mistral-window-bf16'));
});
