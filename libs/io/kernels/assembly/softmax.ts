import { LOWEST, expUpToHighest, laneSum } from './math';

/** What is known of a query's softmax so far, 48 bytes: at 0 the largest score, at 16 eight sums of weights exp(score - largest). */
export const STATE_BYTES: usize = 48;

export function beginSoftmax(state: usize): void {
  store<f32>(state, -Infinity);
  v128.store(state, f32x4.splat(0), 16);
  v128.store(state, f32x4.splat(0), 32);
}

/**
 * Scores to weights, in place: exp(scale * score - largest), where the largest is that of all scores so far. Only the numbers [from, to) are scores; of the
 * others up to multiples of 16 weights become 0. NaN scores are passed over by the maximum and come back as NaN weights.
 * @returns what sums of earlier weights must be multiplied by (Milakov and Gimelshein, 2018)
 */
export function softmax(scores: usize, from: i32, to: i32, scale: f32, state: usize): f32 {
  const start = scores + (usize(from & -16) << 2), end = scores + (usize((to + 15) & -16) << 2);
  for (let i = start; i < scores + (usize(from) << 2); i += 4) store<f32>(i, -Infinity);
  for (let i = scores + (usize(to) << 2); i < end; i += 4) store<f32>(i, -Infinity);
  const factor = f32x4.splat(scale), lowest = v128.load32_splat(LOWEST);
  let low = lowest, high = lowest;
  for (let i = start; i < end; i += 32) {
    low = f32x4.pmax(low, f32x4.mul(v128.load(i), factor));
    high = f32x4.pmax(high, f32x4.mul(v128.load(i, 16), factor));
  }
  const before = load<f32>(state), largest = max(before, largestLane(f32x4.pmax(low, high)));
  const splat = f32x4.splat(largest);
  const correction = before == largest ? f32(1) : f32x4.extract_lane(expUpToHighest(f32x4.splat(before - largest)), 0);
  store<f32>(state, largest);
  let lowSum = f32x4.mul(v128.load(state, 16), f32x4.splat(correction)), highSum = f32x4.mul(v128.load(state, 32), f32x4.splat(correction));
  for (let i = start; i < end; i += 32) {
    const lowWeights = expUpToHighest(f32x4.sub(f32x4.mul(v128.load(i), factor), splat)), highWeights = expUpToHighest(f32x4.sub(f32x4.mul(v128.load(i, 16), factor), splat));
    v128.store(i, lowWeights);
    v128.store(i, highWeights, 16);
    lowSum = f32x4.add(lowSum, lowWeights);
    highSum = f32x4.add(highSum, highWeights);
  }
  v128.store(state, lowSum, 16);
  v128.store(state, highSum, 32);
  return correction;
}

// @ts-ignore: decorator
@inline
function largestLane(x: v128): f32 {
  return max(max(f32x4.extract_lane(x, 0), f32x4.extract_lane(x, 1)), max(f32x4.extract_lane(x, 2), f32x4.extract_lane(x, 3)));
}

export function sumOfWeights(state: usize): f32 {
  return laneSum(f32x4.add(v128.load(state, 16), v128.load(state, 32)));
}
