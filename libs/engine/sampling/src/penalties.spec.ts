import { describe, expect, it } from 'vitest';
import { type SamplingParams, GREEDY } from '@essaim/core';
import { Penalties } from './penalties.ts';

function penalised(params: Partial<SamplingParams>, promptIds: readonly number[], answerIds: readonly number[]): number[] {
  const penalties = new Penalties({ ...GREEDY, ...params }, promptIds);
  for (const id of answerIds) penalties.accept(id);
  const scores = Float32Array.of(4, -4, 2, -2);
  penalties.apply(scores);
  return Array.from(scores);
}

describe('Penalties', () => {
  it('divides positive and multiplies negative scores of ids in prompt or answer, once however often they occur', () => {
    expect(penalised({ repetitionPenalty: 2 }, [0, 1, 1], [1, 2])).toEqual([2, -8, 1, -2]);
  });

  it('subtracts presence once and frequency per occurrence, for the answer only', () => {
    expect(penalised({ presencePenalty: 0.5, frequencyPenalty: 0.25 }, [0, 1], [2, 2, 3])).toEqual([4, -4, 1, -2.75]);
  });

  it('repeats before it subtracts before it biases', () => {
    expect(penalised({ repetitionPenalty: 2, presencePenalty: 1, logitBias: new Map([[0, 10]]) }, [], [0])).toEqual([11, -4, 2, -2]);
  });

  it('has nothing to change while no parameter asks for it', () => {
    const penalties = new Penalties(GREEDY, [1, 2, 3]);
    penalties.accept(2);
    expect(penalties.changes()).toBe(false);
    expect(penalties.changes(new Set([1]))).toBe(true);
  });

  it('ignores ids outside the vocabulary', () => {
    expect(penalised({ repetitionPenalty: 2, presencePenalty: 1, logitBias: new Map([[99, 5]]) }, [50], [60])).toEqual([4, -4, 2, -2]);
  });
});
