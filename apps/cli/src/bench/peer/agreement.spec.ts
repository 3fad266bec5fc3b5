import { describe, expect, it } from 'vitest';
import { agreementOf, assertSameModel } from './agreement.ts';
import { type Prediction } from './contender.ts';
import { predictionOf } from './llama/contender.ts';

const predictions = (...entries: [id: number, logprob: number][]): Prediction => entries.map(([id, logprob]) => ({ id, logprob }));

it('counts shared tokens and measures how far their log probabilities lie apart', () => {
  const agreement = agreementOf([
    { ours: predictions([1, -1], [2, -2]), peers: predictions([1, -1.5], [3, -2]) },
    { ours: predictions([4, -1], [5, -2]), peers: predictions([5, -1], [4, -1.25]) },
  ]);
  expect(agreement).toEqual({ prompts: 2, sameFirst: 1, meanOverlap: 0.75, meanDifference: (0.5 + 0.25 + 1) / 3, largestDifference: 1 });
});

describe('assertSameModel', () => {
  const logits = Array.from({ length: 100 }, (_, id) => Math.sin(id * id));
  const against = (other: readonly number[]) => agreementOf([{ ours: predictionOf(logits), peers: predictionOf(other) }]);

  it('lets rounding pass', () => {
    expect(() => assertSameModel(against(logits.map((logit, id) => logit + 0.01 * Math.cos(id))))).not.toThrow();
  });

  it('refuses another model, and one that shares no token at all', () => {
    expect(() => assertSameModel(against(logits.map((_, id) => logits[(id + 37) % 100]!)))).toThrow(/don't compute the same/);
    expect(() => assertSameModel(agreementOf([{ ours: predictions([1, -1]), peers: predictions([2, -1]) }]))).toThrow(/share 0 %/);
  });
});

it('turns logits into log probabilities over the whole vocabulary and keeps the 20 likeliest', () => {
  const prediction = predictionOf(Array.from({ length: 30 }, (_, id) => (id === 7 ? 1000 : 999)));
  expect(prediction).toHaveLength(20);
  expect(prediction[0]).toEqual({ id: 7, logprob: expect.closeTo(-Math.log(1 + 29 / Math.E), 10) as number });
});
