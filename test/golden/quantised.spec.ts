import { afterAll, describe, expect, it } from 'vitest';
import { type WeightDtype } from '@essaim/core';
import { startLocalCluster } from '@essaim/testing';
import { temporaryCache } from './compiled.ts';
import { checkpointDirectory, logitsNames, readLogits, type LogitsVector } from './read-vectors.ts';

/** Quantised weights of any width: also of rows that are no multiple of a block of 32. */

const NEVER = new AbortController().signal;
const compiled = temporaryCache();
afterAll(compiled.remove);

/** Logits of all tokens of the prompt, [tokens, vocab]. */
async function promptLogits(vector: LogitsVector, dtype: WeightDtype): Promise<Float32Array> {
  await using cluster = await startLocalCluster({ directory: checkpointDirectory(vector.checkpoints[0]!.folder), dtype, deterministic: false, workers: 2, replicas: 1, seed: 1, cache: compiled.cache });
  const cache = cluster.kv.reserve(vector.promptIds.length)!;
  const [output] = await cluster.workers[0]!.runner.forward([{ cache, first: 0, tokenIds: vector.promptIds, logitsOfLast: vector.promptIds.length }], NEVER);
  cache.release();
  expect(output!.failure).toBeNull();
  return output!.logits!;
}

/** Of each token: root mean square of the difference over that of the logits themselves. */
function rowErrors({ columns, promptIds, logits }: LogitsVector, actual: Float32Array): number[] {
  return promptIds.map((_, row) => {
    let [difference, energy] = [0, 0];
    for (let index = row * columns; index < (row + 1) * columns; index++) {
      difference += (actual[index]! - logits[index]!) ** 2;
      energy += logits[index]! ** 2;
    }
    return Math.sqrt(difference / energy);
  });
}

const vectors = logitsNames().filter((name) => name !== 'petit').map(readLogits);

describe.each(vectors)('$name', (vector) => {
  // The median: where a router's best two are close, a random model goes to another expert and says something else altogether.
  it.each([['int8', 0.1], ['int4', 0.5]] as const)('at %s gives logits off the oracle\'s by less than a share of %f, for most tokens', async (dtype, most) => {
    const errors = rowErrors(vector, await promptLogits(vector, dtype)).sort((a, b) => a - b);
    expect(errors[errors.length >> 1]).toBeLessThan(most);
  });
});
