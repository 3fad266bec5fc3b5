import { assert, type RoutedFeedForward } from '@essaim/core';
import { chooseBest, dropGroups } from './choose-experts.ts';
import { sigmoid, softmax } from './router-scores.ts';

/** Which experts each row goes to. Pair p belongs to row floor(p / expertsPerToken). */
export interface Routing {
  /** [rows * expertsPerToken], ascending within a row. */
  readonly experts: Uint32Array;
  /** [rows * expertsPerToken], the weight of each expert's output; what a row's gates sum to, the router says. */
  readonly gates: Float32Array;
  readonly expertsPerToken: number;
}

export type RouterShape = Pick<RoutedFeedForward, 'expertCount' | 'expertsPerToken' | 'router'>;

/** Added to the sum by which gates are divided, as transformers does: no row divides by zero. */
const LEAST_SUM = 1e-20;

/**
 * A router as Hugging Face transformers computes it, every step rounded to float32. `logits` [rows, expertCount] become scores, by softmax
 * over all experts or each by the sigmoid. A correction bias [expertCount] moves the choice alone, and groups that are not among the best
 * are left out of it. The best `expertsPerToken` are chosen, the lower id among equals; their scores are the gates, divided by their sum
 * where the router says so, and times its scale.
 * A row with a NaN gets valid experts and NaN gates, so that the NaN stays in its row.
 * @see MixtralTopKRouter, Mistral4TopkRouter and DeepseekV3TopkRouter in transformers; DeepSeek-V3, arXiv:2412.19437, section 2.1.2
 */
export function route(logits: Float32Array, shape: RouterShape, correctionBias: Float32Array | null = null): Routing {
  checkShape(logits, shape, correctionBias);
  const { expertCount, expertsPerToken, router } = shape;
  const rows = logits.length / expertCount;
  const routing = { experts: new Uint32Array(rows * expertsPerToken), gates: new Float32Array(rows * expertsPerToken), expertsPerToken };
  const scores = new Float32Array(expertCount);
  const isGrouped = router.groupsPerToken < router.groupCount;
  // What is chosen by: the scores themselves where nothing moves the choice.
  const ranks = correctionBias !== null || isGrouped ? new Float32Array(expertCount) : scores;
  const toScores = router.kind === 'softmax' ? softmax : sigmoid;
  for (let row = 0; row < rows; row++) {
    toScores(logits.subarray(row * expertCount, (row + 1) * expertCount), scores);
    if (ranks !== scores) ranks.set(scores);
    if (correctionBias !== null) for (let expert = 0; expert < expertCount; expert++) ranks[expert]! += correctionBias[expert]!;
    if (isGrouped) dropGroups(ranks, router);
    const experts = routing.experts.subarray(row * expertsPerToken, (row + 1) * expertsPerToken);
    chooseBest(ranks, experts);
    const divisor = router.renormalised ? sumOf(scores, experts) : 1;
    experts.sort();
    experts.forEach((expert, nth) => (routing.gates[row * expertsPerToken + nth] = Math.fround(scores[expert]! / divisor) * router.scale));
  }
  return routing;
}

function checkShape(logits: Float32Array, { expertCount, expertsPerToken, router: { groupCount, groupsPerToken, ...router } }: RouterShape, correctionBias: Float32Array | null): void {
  assert(expertsPerToken >= 1 && expertsPerToken <= expertCount && logits.length % expertCount === 0, 'router logits are [rows, expertCount]');
  assert(expertCount % groupCount === 0 && expertsPerToken <= (expertCount / groupCount) * groupsPerToken, 'the chosen groups have as many experts as a token takes');
  assert(router.correctionBias ? correctionBias?.length === expertCount : correctionBias === null, 'a router has the bias that it is said to have');
}

/** Of the chosen, in the order given. */
function sumOf(scores: Float32Array, experts: Uint32Array): number {
  let sum = 0;
  for (const expert of experts) sum = Math.fround(sum + scores[expert]!);
  return Math.fround(sum + LEAST_SUM);
}
