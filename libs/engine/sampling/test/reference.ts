import { type PositionLogprobs, type SamplingParams } from '@essaim/core';
import { uniformAt } from '../src/uniform-at.ts';

/** Sampling as its definition reads: every candidate sorted, every mass summed from the front. Slow and plain, to hold the fast one against. */
export interface ReferenceCase {
  readonly params: SamplingParams;
  readonly promptIds: readonly number[];
  readonly answerIds: readonly number[];
  readonly banned: ReadonlySet<number>;
}

export function referenceScores(logits: Float32Array, { params, promptIds, answerIds, banned }: ReferenceCase): number[] {
  const seen = new Set([...promptIds, ...answerIds]);
  return Array.from(logits, (logit, id) => {
    let score = logit;
    const factor = Math.fround(params.repetitionPenalty);
    if (seen.has(id)) score = Math.fround(score < 0 ? score * factor : score / factor);
    const count = answerIds.filter((answered) => answered === id).length;
    if (count > 0) score = Math.fround(score - (params.presencePenalty + params.frequencyPenalty * count));
    score = Math.fround(score + (params.logitBias.get(id) ?? 0));
    return banned.has(id) ? -Infinity : score;
  });
}

interface Scored {
  readonly id: number;
  readonly score: number;
}

/** Ids that may be drawn with their probabilities, best first. */
export function referenceDistribution(scores: readonly number[], { temperature, topK, topP, minP }: SamplingParams): { id: number; probability: number }[] {
  const best = greatest(scores);
  const weighted = scores.map((score, id) => ({ id, score, weight: Math.exp((score - best) / temperature) }));
  let kept = weighted.sort(byScore);
  if (topK > 0) kept = kept.slice(0, topK);
  const mass = sum(kept);
  if (topP < 1) {
    let massSoFar = 0;
    const end = kept.findIndex(({ weight }) => (massSoFar += weight) >= topP * mass);
    kept = kept.slice(0, end === -1 ? kept.length : end + 1);
  }
  kept = kept.filter(({ weight }) => weight >= minP * kept[0]!.weight);
  const keptMass = sum(kept);
  return kept.map(({ id, weight }) => ({ id, probability: weight / keptMass }));
}

export function referenceSample(logits: Float32Array, position: number, given: ReferenceCase): number {
  const scores = referenceScores(logits, given);
  if (given.params.temperature === 0) return scores.indexOf(greatest(scores));
  const uniform = uniformAt(given.params.seed, position);
  let massSoFar = 0;
  const distribution = referenceDistribution(scores, given.params);
  return (distribution.find(({ probability }) => (massSoFar += probability) > uniform) ?? distribution.at(-1)!).id;
}

export function referenceLogprobs(logits: Float32Array, tokenId: number, top: number): PositionLogprobs {
  const best = greatest(Array.from(logits));
  const normaliser = best + Math.log(Array.from(logits).reduce((total, logit) => total + Math.exp(logit - best), 0));
  const ranked = Array.from(logits, (score, id) => ({ id, score })).sort(byScore).slice(0, top);
  return { logprob: logits[tokenId]! - normaliser, top: ranked.map(({ id, score }) => ({ id, logprob: score - normaliser })) };
}

const byScore = (a: Scored, b: Scored): number => (a.score === b.score ? a.id - b.id : b.score - a.score);

const sum = (weighted: readonly { readonly weight: number }[]): number => weighted.reduce((total, { weight }) => total + weight, 0);
const greatest = (scores: readonly number[]): number => scores.reduce((best, score) => Math.max(best, score), -Infinity);
