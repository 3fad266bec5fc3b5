import { LOWEST, expUpToHighest } from './math';
import { LARGEST, RESULT, SUMS, WEIGHTS } from './query';
import { multiply } from './vectors';

/**
 * Softmax over chunks (Milakov and Gimelshein, 2018), first half: the largest of all scores so far, and what was added up with smaller ones before is corrected.
 * Only the numbers [from, to) are scores; the others up to multiples of 16 become -infinity. `scale` is positive.
 */
export function raiseLargest(query: usize, from: i32, to: i32, scale: f32, resultBytes: usize): void {
  const scores = load<usize>(query + WEIGHTS), start = scores + (usize(from & -16) << 2), end = scores + (usize((to + 15) & -16) << 2);
  for (let i = start; i < scores + (usize(from) << 2); i += 4) store<f32>(i, -Infinity);
  for (let i = scores + (usize(to) << 2); i < end; i += 4) store<f32>(i, -Infinity);
  // pmax keeps its first operand beside a NaN, so that this is never one: NaN scores come back as NaN weights.
  let low = v128.load32_splat(LOWEST), high = low;
  for (let i = start; i < end; i += 32) {
    low = f32x4.pmax(low, v128.load(i));
    high = f32x4.pmax(high, v128.load(i, 16));
  }
  low = f32x4.pmax(low, high);
  low = f32x4.pmax(low, v128.shuffle<f32>(low, low, 2, 3, 0, 1));
  low = f32x4.pmax(low, v128.shuffle<f32>(low, low, 1, 0, 3, 2));
  const largest = f32x4.extract_lane(low, 0) * scale, before = load<f32>(query + LARGEST);
  if (!(largest > before)) return;
  store<f32>(query + LARGEST, largest);
  const correction = f32x4.extract_lane(expUpToHighest(f32x4.splat(before - largest)), 0);
  multiply(query + SUMS, 32, correction);
  multiply(load<usize>(query + RESULT), resultBytes, correction);
}

/** Second half: scores to weights exp(scale * score - largest), in place, 0 for what is no score; and their sums. */
export function weigh(query: usize, from: i32, to: i32, scale: f32): void {
  const scores = load<usize>(query + WEIGHTS), end = scores + (usize((to + 15) & -16) << 2);
  const factor = f32x4.splat(scale), offset = f32x4.neg(v128.load32_splat(query + LARGEST));
  let lowSum = v128.load(query + SUMS), highSum = v128.load(query + SUMS, 16);
  for (let i = scores + (usize(from & -16) << 2); i < end; i += 32) {
    const low = expUpToHighest(f32x4.relaxed_madd(v128.load(i), factor, offset)), high = expUpToHighest(f32x4.relaxed_madd(v128.load(i, 16), factor, offset));
    v128.store(i, low);
    v128.store(i, high, 16);
    lowSum = f32x4.add(lowSum, low);
    highSum = f32x4.add(highSum, high);
  }
  v128.store(query + SUMS, lowSum);
  v128.store(query + SUMS, highSum, 16);
}
