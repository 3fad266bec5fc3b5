import { assert } from '@essaim/core';

/** Which experts each row goes to. Pair p belongs to row floor(p / expertsPerToken). */
export interface Routing {
  /** [rows * expertsPerToken], ascending within a row. */
  readonly experts: Uint32Array;
  /** [rows * expertsPerToken], the weight of each expert's output; a row's gates sum to 1. */
  readonly gates: Float32Array;
  readonly expertsPerToken: number;
}

export interface RouterShape {
  readonly expertCount: number;
  readonly expertsPerToken: number;
}

/**
 * The router of Mixtral as Hugging Face transformers computes it: softmax of `logits` [rows, expertCount] over all experts, the best
 * `expertsPerToken` (lower id among equals), their probabilities divided by their sum; every step rounded to float32.
 * A row with a NaN gets valid experts and NaN gates, so that the NaN stays in its row.
 */
export function route(logits: Float32Array, { expertCount, expertsPerToken }: RouterShape): Routing {
  assert(expertsPerToken >= 1 && expertsPerToken <= expertCount && logits.length % expertCount === 0, 'router logits are [rows, expertCount]');
  const rows = logits.length / expertCount;
  const routing = { experts: new Uint32Array(rows * expertsPerToken), gates: new Float32Array(rows * expertsPerToken), expertsPerToken };
  const probabilities = new Float32Array(expertCount);
  for (let row = 0; row < rows; row++) {
    softmax(logits.subarray(row * expertCount, (row + 1) * expertCount), probabilities);
    const experts = routing.experts.subarray(row * expertsPerToken, (row + 1) * expertsPerToken);
    const sum = chooseBest(probabilities, experts);
    experts.sort();
    experts.forEach((expert, nth) => (routing.gates[row * expertsPerToken + nth] = probabilities[expert]! / sum));
  }
  return routing;
}

function softmax(logits: Float32Array, probabilities: Float32Array): void {
  let best = -Infinity;
  for (const logit of logits) best = Math.max(best, logit);
  let sum = 0;
  for (let expert = 0; expert < logits.length; expert++) {
    probabilities[expert] = Math.exp(Math.fround(logits[expert]! - best));
    sum = Math.fround(sum + probabilities[expert]!);
  }
  for (let expert = 0; expert < logits.length; expert++) probabilities[expert]! /= sum;
}

/** Fills `chosen` with the experts of the highest probabilities, best first; returns the sum of these. */
function chooseBest(probabilities: Float32Array, chosen: Uint32Array): number {
  for (let expert = 0; expert < probabilities.length; expert++) {
    let place = Math.min(expert, chosen.length);
    for (; place > 0 && probabilities[expert]! > probabilities[chosen[place - 1]!]!; place--) {
      if (place < chosen.length) chosen[place] = chosen[place - 1]!;
    }
    if (place < chosen.length) chosen[place] = expert;
  }
  let sum = 0;
  for (const expert of chosen) sum = Math.fround(sum + probabilities[expert]!);
  return sum;
}
