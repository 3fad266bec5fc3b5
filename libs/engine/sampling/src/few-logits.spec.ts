import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GREEDY, type SamplingParams } from '@essaim/core';
import { anyLogits, anyParams } from '../test/arbitraries.ts';
import { type FewLogits, fewNeeded, logprobsOfFew, MASS_TOLERANCE } from './few-logits.ts';
import { logprobsOf } from './logprobs.ts';
import { Sampler } from './sampler.ts';

/** What a device tells that looks for the `count` best, its sums off by a share of themselves. */
function fewOf(logits: Float32Array, { count, sharpness }: { readonly count: number; readonly sharpness: number }, error = 0): FewLogits {
  const ranked = logits.toSorted((a, b) => b - a);
  const restAtMost = ranked[count] ?? -Infinity;
  const ids = Uint32Array.from([...logits.keys()].filter((id) => logits[id]! > restAtMost));
  const massAt = (factor: number): number => logits.reduce((sum, logit) => sum + Math.exp((logit - ranked[0]!) * factor), 0) * (1 + error);
  return { ids, logits: Float32Array.from(ids, (id) => logits[id]!), restAtMost, mass: massAt(1), softMass: massAt(sharpness) };
}

const plain = (params: SamplingParams): SamplingParams => ({ ...params, presencePenalty: 0, frequencyPenalty: 0, repetitionPenalty: 1, logitBias: new Map() });

describe('the best few logits', () => {
  it('give the token that all give, or say that they don\'t tell', () => {
    const anyError = fc.double({ min: -0.9 * MASS_TOLERANCE, max: 0.9 * MASS_TOLERANCE, noNaN: true });
    fc.assert(fc.property(anyLogits(400), anyParams().map(plain), fc.nat(10_000), fc.integer({ min: 1, max: 64 }), anyError, (logits, params, position, count, error) => {
      const sampler = new Sampler(params, []);
      const needed = { count, sharpness: params.temperature === 0 ? 1 : 1 / params.temperature };
      const id = sampler.sampleAmongFew(fewOf(logits, needed, error), position);
      if (id !== null) expect(id).toBe(sampler.sample(logits, position));
    }), { numRuns: 2_000 });
  });

  const PEAKED = Float32Array.from({ length: 1_000 }, (_, id) => 10 * Math.cos(id) - id / 50);

  it.each([['greedy', GREEDY], ['top-k', { ...GREEDY, temperature: 1, topK: 40 }], ['top-p', { ...GREEDY, temperature: 0.7, topP: 0.9 }], ['min-p', { ...GREEDY, temperature: 1, minP: 0.05 }], ['all of them', { ...GREEDY, temperature: 0.8 }]])('nearly always tell with %s', (_name, params) => {
    const sampler = new Sampler(params, []);
    const few = fewOf(PEAKED, fewNeeded(params, 0)!);
    const told = Array.from({ length: 200 }, (_, position) => sampler.sampleAmongFew(few, position)).filter((id) => id !== null);
    expect(told.length).toBeGreaterThan(190);
  });

  it('are not asked for where many more are needed', () => {
    expect(fewNeeded({ ...GREEDY, temperature: 1, topK: 65 }, 0)).toBeNull();
    expect(fewNeeded(GREEDY, 65)).toBeNull();
    expect(fewNeeded({ ...GREEDY, temperature: 0.5, topK: 7 }, 20)).toEqual({ count: 20, sharpness: 2 });
  });

  it('don\'t tell where a logit is not a number, or all are equal', () => {
    const sampler = new Sampler(GREEDY, []);
    expect(sampler.sampleAmongFew({ ...fewOf(PEAKED, { count: 4, sharpness: 1 }), mass: NaN }, 0)).toBeNull();
    expect(sampler.sampleAmongFew(fewOf(new Float32Array(9), { count: 4, sharpness: 1 }), 0)).toBeNull();
  });

  it('report how likely the model found a token and the best ones', () => {
    const few = fewOf(PEAKED, { count: 20, sharpness: 1 });
    const [expected, actual] = [logprobsOf(PEAKED, few.ids[3]!, 20), logprobsOfFew(few, few.ids[3]!, 20)!];
    expect(actual.logprob).toBeCloseTo(expected.logprob, 5);
    expect(actual.top.map(({ id }) => id)).toEqual(expected.top.map(({ id }) => id));
    expect(logprobsOfFew(few, few.ids[3]!, 21)).toBeNull();
    expect(logprobsOfFew(few, [...PEAKED.keys()].find((id) => !few.ids.includes(id))!, 0)).toBeNull();
  });
});
