import { type PositionLogprobs, assert } from '@essaim/core';
import { bestId } from './best.ts';
import { Candidates } from './candidates.ts';

/** Scratch space, shared by all calls of the thread. */
const candidates = new Candidates();

/**
 * What the model itself gave `tokenId`, and its `top` most likely tokens (fewer in a smaller vocabulary; best first, lower id among equals),
 * from `logits` [vocab]: before penalties, temperature and filters. Computed in float64. Fails with `internal` when the logits hold no distribution.
 */
export function logprobsOf(logits: Float32Array, tokenId: number, top: number): PositionLogprobs {
  assert(tokenId >= 0 && tokenId < logits.length, `token ${tokenId} is one of ${logits.length}`);
  const bestScore = logits[bestId(logits)]!;
  const normaliser = logSumExp(logits, bestScore);
  if (top > 0) candidates.takeBest(logits, top, { bestScore, temperature: 1 });
  const topIds = top > 0 ? Array.from(candidates.ids) : [];
  return { logprob: logits[tokenId]! - normaliser, top: topIds.map((id) => ({ id, logprob: logits[id]! - normaliser })) };
}

function logSumExp(logits: Float32Array, bestScore: number): number {
  let sum = 0;
  for (let id = 0; id < logits.length; id++) sum += Math.exp(logits[id]! - bestScore);
  return bestScore + Math.log(sum);
}
