import { LOWEST, expUpToHighest } from './math';
import { LARGEST, SUMS, WEIGHTS } from './query';

/**
 * Scores of a query to weights, in place: exp(scale * score - largest), where the largest is that of all scores so far. Only the numbers [from, to) are scores;
 * of the others up to multiples of 16 weights become 0. NaN scores are passed over by the maximum and come back as NaN weights.
 * @returns what sums of earlier weights must be multiplied by (Milakov and Gimelshein, 2018)
 */
export function softmax(query: usize, from: i32, to: i32, scale: f32): f32 {
  const scores = load<usize>(query + WEIGHTS), start = scores + (usize(from & -16) << 2), end = scores + (usize((to + 15) & -16) << 2);
  for (let i = start; i < scores + (usize(from) << 2); i += 4) store<f32>(i, -Infinity);
  for (let i = scores + (usize(to) << 2); i < end; i += 4) store<f32>(i, -Infinity);
  const factor = f32x4.splat(scale), lowest = v128.load32_splat(LOWEST);
  let low = lowest, high = lowest;
  for (let i = start; i < end; i += 32) {
    low = f32x4.pmax(low, f32x4.mul(v128.load(i), factor));
    high = f32x4.pmax(high, f32x4.mul(v128.load(i, 16), factor));
  }
  const before = load<f32>(query + LARGEST), largest = max(before, largestLane(f32x4.pmax(low, high)));
  const correction = before == largest ? f32(1) : f32x4.extract_lane(expUpToHighest(f32x4.splat(before - largest)), 0);
  store<f32>(query + LARGEST, largest);
  const base = f32x4.splat(largest), corrections = f32x4.splat(correction);
  let lowSum = f32x4.mul(v128.load(query + SUMS), corrections), highSum = f32x4.mul(v128.load(query + SUMS, 16), corrections);
  for (let i = start; i < end; i += 32) {
    const lowWeights = expUpToHighest(f32x4.sub(f32x4.mul(v128.load(i), factor), base)), highWeights = expUpToHighest(f32x4.sub(f32x4.mul(v128.load(i, 16), factor), base));
    v128.store(i, lowWeights);
    v128.store(i, highWeights, 16);
    lowSum = f32x4.add(lowSum, lowWeights);
    highSum = f32x4.add(highSum, highWeights);
  }
  v128.store(query + SUMS, lowSum);
  v128.store(query + SUMS, highSum, 16);
  return correction;
}

// @ts-ignore: decorator
@inline
function largestLane(x: v128): f32 {
  return max(max(f32x4.extract_lane(x, 0), f32x4.extract_lane(x, 1)), max(f32x4.extract_lane(x, 2), f32x4.extract_lane(x, 3)));
}
