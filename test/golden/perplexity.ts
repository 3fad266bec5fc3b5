import { type LocalCluster } from '@essaim/testing';
import { type PerplexityVector } from './read-vectors.ts';

const NEVER = new AbortController().signal;

/** Of the first worker's model on the held-back text, over whole windows as the oracle had them. */
export async function perplexity(cluster: LocalCluster, { ids, windowTokens, windowLosses }: PerplexityVector): Promise<number> {
  let loss = 0;
  for (let window = 0; window < windowLosses.length; window++) loss += await windowLoss(cluster, ids.slice(window * windowTokens, (window + 1) * windowTokens));
  return Math.exp(loss / windowLosses.length);
}

/** Mean negative log likelihood of all tokens but the first. */
async function windowLoss({ workers, kv, spec }: LocalCluster, tokenIds: readonly number[]): Promise<number> {
  const cache = kv.reserve(tokenIds.length)!;
  const [output] = await workers[0]!.runner.forward([{ cache, first: 0, tokenIds, logitsOfLast: tokenIds.length }], NEVER);
  cache.release();
  let loss = 0;
  for (let position = 0; position + 1 < tokenIds.length; position++) {
    const row = output!.logits!.subarray(position * spec.vocabSize, (position + 1) * spec.vocabSize);
    loss += logSumExp(row) - row[tokenIds[position + 1]!]!;
  }
  return loss / (tokenIds.length - 1);
}

function logSumExp(row: Float32Array): number {
  let largest = -Infinity;
  for (const logit of row) largest = Math.max(largest, logit);
  let sum = 0;
  for (const logit of row) sum += Math.exp(logit - largest);
  return largest + Math.log(sum);
}
