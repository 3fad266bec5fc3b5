import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type SamplingParams, AppError, GREEDY } from '@essaim/core';
import { anyLogits, anyParams } from '../test/arbitraries.ts';
import { referenceDistribution, referenceSample } from '../test/reference.ts';
import { Sampler } from './sampler.ts';

const draws = (logits: Float32Array, params: Partial<SamplingParams>, count: number): number[] => {
  const sampler = new Sampler({ ...GREEDY, temperature: 1, ...params }, []);
  return Array.from({ length: count }, (_, position) => sampler.sample(logits, position));
};

/** Sum of (observed - expected)^2 / expected; its mean is the number of possible ids less one. */
function chiSquare(observed: readonly number[], expected: readonly { readonly id: number; readonly probability: number }[]): number {
  return expected.reduce((total, { id, probability }) => {
    const times = observed.filter((drawn) => drawn === id).length;
    return total + (times - probability * observed.length) ** 2 / (probability * observed.length);
  }, 0);
}

describe('Sampler', () => {
  it('chooses what the definition chooses, for any parameters, history and bans', () => {
    const ids = fc.array(fc.integer({ min: 0, max: 79 }), { maxLength: 12 });
    fc.assert(fc.property(anyLogits(), anyParams(), ids, ids, ids, fc.nat(10_000), (logits, params, promptIds, answerIds, bannedIds, position) => {
      const banned = new Set(bannedIds);
      fc.pre(logits.some((logit, id) => Number.isFinite(logit) && !banned.has(id)));
      const sampler = new Sampler(params, promptIds);
      for (const id of answerIds) sampler.accept(id);
      expect(sampler.sample(logits, position, { banned })).toBe(referenceSample(logits, position, { params, promptIds, answerIds, banned }));
    }), { numRuns: 1000 });
  });

  it('chooses what the definition chooses among so many ids that it does not sort them, equals or not', () => {
    const manyLogits = fc.tuple(anyLogits(), fc.constantFrom(0, 1e-6, 0.1, 10)).map(([some, spread]) =>
      Float32Array.from({ length: 1000 }, (_, id) => some[id % some.length]! + spread * Math.sin(id)));
    fc.assert(fc.property(manyLogits, anyParams(), fc.nat(10_000), (logits, params, position) => {
      const given = { params, promptIds: [], answerIds: [], banned: new Set<number>() };
      expect(new Sampler(params, []).sample(logits, position)).toBe(referenceSample(logits, position, given));
    }), { numRuns: 300 });
  });

  it('chooses among ids that are allowed as if all others were banned', () => {
    fc.assert(fc.property(anyLogits(), anyParams(), fc.array(fc.nat(79), { minLength: 1 }), fc.nat(10_000), (logits, params, ids, position) => {
      const allowed = new Uint32Array(Math.ceil(logits.length / 32));
      for (const id of ids) if (id < logits.length) allowed[id >>> 5]! |= 1 << (id & 31);
      fc.pre(logits.some((logit, id) => Number.isFinite(logit) && ids.includes(id)));
      const banned = new Set([...logits.keys()].filter((id) => !ids.includes(id)));
      const chosen = new Sampler(params, []).sample(logits, position, { allowed });
      expect([chosen, ids.includes(chosen)]).toEqual([referenceSample(logits, position, { params, promptIds: [], answerIds: [], banned }), true]);
    }), { numRuns: 500 });
  });

  it('leaves the logits as they are', () => {
    fc.assert(fc.property(anyLogits(), anyParams(), (logits, params) => {
      const before = logits.slice();
      const sampler = new Sampler(params, [0, 1]);
      sampler.accept(0);
      sampler.sample(logits, 2);
      expect(logits).toEqual(before);
    }));
  });

  it('chooses the lowest of equally good ids at temperature 0', () => {
    expect(new Sampler(GREEDY, []).sample(Float32Array.of(1, 7, 7, 3, 7), 0)).toBe(1);
  });

  it('approaches greedy as the temperature approaches 0', () => {
    fc.assert(fc.property(anyLogits(), fc.bigInt({ min: 0n, max: 1n << 62n }), (logits, seed) => {
      fc.pre(logits.filter((logit) => logit === Math.max(...logits)).length === 1);
      expect(new Sampler({ ...GREEDY, temperature: 1e-300, seed }, []).sample(logits, 3)).toBe(new Sampler(GREEDY, []).sample(logits, 3));
    }));
  });

  it('draws the same at a position whatever was drawn before, so that a replay repeats itself', () => {
    const logits = Float32Array.from({ length: 1000 }, (_, id) => Math.sin(id));
    const forward = draws(logits, { seed: 11n }, 50);
    const sampler = new Sampler({ ...GREEDY, temperature: 1, seed: 11n }, []);
    const backward = Array.from({ length: 50 }, (_, index) => sampler.sample(logits, 49 - index));
    expect(backward.reverse()).toEqual(forward);
    expect(draws(logits, { seed: 12n }, 50)).not.toEqual(forward);
  });

  it('is not disturbed by other sequences that sample in between', () => {
    const logits = Float32Array.from({ length: 300 }, (_, id) => Math.cos(id));
    const params = { ...GREEDY, temperature: 0.8, topP: 0.9, presencePenalty: 0.5, seed: 4n };
    const alone = new Sampler(params, [1]);
    const expected = Array.from({ length: 20 }, (_, position) => alone.sample(logits, position));
    const [interleaved, other] = [new Sampler(params, [1]), new Sampler({ ...params, topK: 3, seed: 9n }, [2])];
    const actual = Array.from({ length: 20 }, (_, position) => (other.sample(logits.subarray(0, 10), position), interleaved.sample(logits, position)));
    expect(actual).toEqual(expected);
  });

  it.each<[string, Partial<SamplingParams>]>([
    ['unfiltered', {}],
    ['at a high temperature', { temperature: 2 }],
    ['with top-k', { topK: 5 }],
    ['with top-p', { topP: 0.8 }],
    ['with min-p', { minP: 0.1 }],
    ['with all of them', { temperature: 1.5, topK: 12, topP: 0.95, minP: 0.05 }],
  ])('draws in proportion to the probabilities, %s', (_name, filters) => {
    const params = { ...GREEDY, temperature: 1, seed: 2026n, ...filters };
    const logits = Float32Array.from({ length: 20 }, (_, id) => 3 * Math.sin(id * 1.7));
    const expected = referenceDistribution(Array.from(logits), params).filter(({ probability }) => probability > 1e-3);
    const observed = draws(logits, params, 20_000);
    // Four standard deviations above the mean; the seed is fixed, so this holds always or never.
    expect(chiSquare(observed, expected)).toBeLessThan(expected.length - 1 + 4 * Math.sqrt(2 * (expected.length - 1)) + 1);
  });

  it('draws from a vocabulary of full size, flat or peaked, what the definition draws', () => {
    for (const spread of [0, 0.01, 4]) {
      const logits = Float32Array.from({ length: 131_072 }, (_, id) => spread * Math.sin(id * 12.9898) * Math.cos(id));
      for (const filters of [{}, { topK: 50 }, { topP: 0.9 }]) {
        const params = { ...GREEDY, temperature: 1, seed: 3n, ...filters };
        const given = { params, promptIds: [], answerIds: [], banned: new Set<number>() };
        expect(new Sampler(params, []).sample(logits, 7)).toBe(referenceSample(logits, 7, given));
      }
    }
  });

  it.each<[string, Float32Array, Partial<SamplingParams>]>([
    ['a NaN', Float32Array.of(1, NaN, 3), {}],
    ['a NaN, greedily', Float32Array.of(1, NaN, 3), { temperature: 0 }],
    ['a NaN that a bias hides', Float32Array.of(1, NaN, 3), { logitBias: new Map([[1, -100]]) }],
    ['an infinite value', Float32Array.of(1, Infinity, 3), {}],
    ['nothing that can be chosen', Float32Array.of(-Infinity, -Infinity), {}],
  ])('fails its own request for %s', (_name, logits, params) => {
    expect(() => draws(logits, params, 1)).toThrow(expect.objectContaining({ name: 'AppError', code: 'internal', message: expect.stringContaining('not a number') }));
  });

  it('finds a NaN under a ban, and fails when everything is banned', () => {
    const sampler = new Sampler(GREEDY, []);
    expect(() => sampler.sample(Float32Array.of(1, NaN), 0, { banned: new Set([1]) })).toThrow(AppError);
    expect(() => sampler.sample(Float32Array.of(1, 2), 0, { banned: new Set([0, 1]) })).toThrow(AppError);
    expect(() => sampler.sample(Float32Array.of(1, NaN), 0, { allowed: Uint32Array.of(1) })).toThrow(AppError);
  });
});
