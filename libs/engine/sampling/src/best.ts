import { AppError } from '@essaim/core';

/**
 * The id of the highest score [vocab], the lowest of equals. Fails with `internal` where softmax has no meaning: a NaN anywhere,
 * an infinite score, or no finite score at all.
 */
export function bestId(scores: Float32Array): number {
  let best = -1;
  let bestScore = -Infinity;
  for (let id = 0; id < scores.length; id++) {
    const score = scores[id]!;
    if (score > bestScore) {
      best = id;
      bestScore = score;
    } else if (Number.isNaN(score)) throw notANumber();
  }
  if (!Number.isFinite(bestScore)) throw notANumber();
  return best;
}

const notANumber = (): AppError =>
  new AppError('internal', 'the model produced a value that is not a number, so no token can be chosen: send the request again, and if it repeats check the checkpoint or use another dtype');

/**
 * A score that at least `count` ids reach, and few more: of `count` blocks of ids each has one at its own maximum, so `count` ids reach
 * the least of these maxima. One pass and no order, for picking the best few of a large vocabulary.
 */
export function floorOfBest(scores: Float32Array, count: number): number {
  let floor = Infinity;
  for (let block = 0; block < count; block++) {
    const end = Math.floor(((block + 1) * scores.length) / count);
    let blockBest = -Infinity;
    for (let id = Math.floor((block * scores.length) / count); id < end; id++) {
      if (scores[id]! > blockBest) blockBest = scores[id]!;
    }
    if (blockBest < floor) floor = blockBest;
  }
  return floor;
}
