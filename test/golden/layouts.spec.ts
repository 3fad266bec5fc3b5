import { afterAll, expect, it } from 'vitest';
import { startLocalCluster } from '@essaim/testing';
import { temporaryCache } from './compiled.ts';
import { checkpointDirectory, type LogitsVector, readLogits } from './read-vectors.ts';

/** One model in the two layouts in which it may be published. */

const compiled = temporaryCache();
afterAll(compiled.remove);

/** [tokens, vocab] of the prompt. */
async function promptLogits(name: string, { promptIds }: LogitsVector): Promise<Float32Array> {
  await using cluster = await startLocalCluster({ directory: checkpointDirectory(`test/golden/models/${name}`), dtype: 'int8', deterministic: true, workers: 1, replicas: 1, seed: 1, cache: compiled.cache });
  const cache = cluster.kv.reserve(promptIds.length)!;
  const [output] = await cluster.workers[0]!.runner.forward([{ cache, first: 0, tokenIds: promptIds, logitsOfLast: promptIds.length }], new AbortController().signal);
  cache.release();
  return output!.logits!;
}

it.each([
  ['mistral-window-bf16', 'mistral-window-mistral-layout'], ['ministral3-yarn-tied-bf16', 'ministral3-yarn-tied-mistral-layout'],
  ['ministral3-yarn-fp8-tensors', 'ministral3-yarn-fp8-tensors-mistral-layout'],
  ['mistral4-yarn-bf16', 'mistral4-yarn-mistral-layout'], ['mistral4-yarn-uncorrected-bf16', 'mistral4-yarn-uncorrected-mistral-layout'],
])('%s gives the same logits to the bit in Mistral\'s layout', async (huggingFace, mistral) => {
  const vector = readLogits(huggingFace);
  expect(await promptLogits(mistral, vector)).toEqual(await promptLogits(huggingFace, vector));
});
