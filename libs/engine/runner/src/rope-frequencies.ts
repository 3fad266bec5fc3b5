import { type Rope, type YarnRope } from '@essaim/core';

/**
 * By how much each pair of a head turns from one position to the next, in radians: [rotarySize / 2], rounded to float32 where Hugging Face
 * transformers rounds, so that long positions turn by the same angle as there.
 */
export function ropeFrequencies(rope: Rope | YarnRope, rotarySize: number): Float32Array {
  const periods = Float32Array.from({ length: rotarySize / 2 }, (_, index) => rope.theta ** Math.fround((2 * index) / rotarySize));
  return rope.kind === 'yarn' ? stretched(periods, rope) : periods.map((period) => 1 / period);
}

/**
 * Fast pairs turn as they did, slow ones `factor` times slower, and those between by a share of both.
 * @see YaRN, arXiv:2309.00071, section 3.2, and `_compute_yarn_parameters` in transformers' modeling_rope_utils.py
 */
function stretched(periods: Float32Array, rope: YarnRope): Float32Array {
  const last = 2 * periods.length - 1;
  const low = Math.max(0, Math.floor(pairThatTurns(rope.betaFast, periods.length, rope)));
  const high = Math.min(last, Math.ceil(pairThatTurns(rope.betaSlow, periods.length, rope)));
  // Where the bounds fall together a step is left of the ramp, without a division by zero.
  const width = high === low ? 0.001 : high - low;
  return periods.map((period, index) => {
    const slow = Math.fround(Math.min(1, Math.max(0, (index - low) / width)));
    const kept = Math.fround(1 - slow);
    const interpolated = Math.fround(1 / Math.fround(rope.factor * period));
    return Math.fround(interpolated * Math.fround(1 - kept)) + Math.fround(Math.fround(1 / period) * kept);
  });
}

/** Which pair turns so many times over the original context, not rounded. */
const pairThatTurns = (turns: number, pairs: number, { theta, originalContextLength }: YarnRope): number =>
  (pairs * Math.log(originalContextLength / (turns * 2 * Math.PI))) / Math.log(theta);
