import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '@essaim/core';
import { anyLogits } from '../test/arbitraries.ts';
import { referenceLogprobs } from '../test/reference.ts';
import { logprobsOf } from './logprobs.ts';

describe('logprobsOf', () => {
  it('reports what the definition says, for any logits', () => {
    fc.assert(fc.property(anyLogits(), fc.nat(), fc.integer({ min: 0, max: 20 }), (logits, anyId, top) => {
      const tokenId = anyId % logits.length;
      expect(logprobsOf(logits, tokenId, top)).toEqual(referenceLogprobs(logits, tokenId, top));
    }));
  });

  it('names the lower id first among equals', () => {
    expect(logprobsOf(new Float32Array(100), 7, 3)).toEqual({
      logprob: -Math.log(100), top: [0, 1, 2].map((id) => ({ id, logprob: -Math.log(100) })),
    });
  });

  it('loses nothing where float32 would overflow or vanish', () => {
    const { logprob, top } = logprobsOf(Float32Array.of(3e38, -3e38, 0), 0, 1);
    expect(logprob).toBe(0);
    expect(top).toEqual([{ id: 0, logprob: 0 }]);
  });

  it('keeps the order of ids too unlikely for a probability', () => {
    expect(logprobsOf(Float32Array.of(-900, 0, -2000, -800), 1, 4).top.map(({ id }) => id)).toEqual([1, 3, 0, 2]);
  });

  it('fails its own request for a NaN', () => {
    expect(() => logprobsOf(Float32Array.of(0, NaN), 0, 1)).toThrow(AppError);
  });
});
