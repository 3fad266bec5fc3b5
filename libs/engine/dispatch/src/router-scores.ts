/** [experts] -> [experts], each step rounded to float32; all are NaN where a logit is. */
export function softmax(logits: Float32Array, scores: Float32Array): void {
  let best = -Infinity;
  for (const logit of logits) best = Math.max(best, logit);
  let sum = 0;
  for (let expert = 0; expert < logits.length; expert++) {
    scores[expert] = Math.exp(Math.fround(logits[expert]! - best));
    sum = Math.fround(sum + scores[expert]!);
  }
  for (let expert = 0; expert < logits.length; expert++) scores[expert]! /= sum;
}

/** The same of each logit alone, but that a NaN is one of all of them: the row is not to pass for a sound one by choosing other experts. */
export function sigmoid(logits: Float32Array, scores: Float32Array): void {
  let hasNaN = false;
  for (let expert = 0; expert < logits.length; expert++) {
    const logit = logits[expert]!;
    scores[expert] = 1 / Math.fround(1 + Math.fround(Math.exp(-logit)));
    hasNaN ||= Number.isNaN(logit);
  }
  if (hasNaN) scores.fill(NaN);
}
