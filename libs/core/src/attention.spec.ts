import { describe, expect, it } from 'vitest';
import { type Attention, attentionMatrices, rotarySizeOf, scoreFactorOf } from './attention.ts';

const GROUPED: Attention = { kind: 'gqa', headCount: 32, kvHeadCount: 8, headSize: 128, slidingWindow: null };
/** Of Mistral Small 4, its scores' magnitude doubled. */
const LATENT: Attention = {
  kind: 'mla', headCount: 32, queryRank: 1024, latentRank: 256, plainSize: 64, rotarySize: 64, valueSize: 128, normEpsilon: 1e-6, rotaryPairs: 'interleaved', scoreScale: 2,
};

describe('attention', () => {
  it('turns whole heads, or the rotated part of them', () => {
    expect([GROUPED, LATENT].map(rotarySizeOf)).toEqual([128, 64]);
  });

  it('divides scores by the root of a query\'s width, and multiplies those of latents by what the model says', () => {
    expect(scoreFactorOf(GROUPED)).toBeCloseTo(1 / Math.sqrt(128), 12);
    expect(scoreFactorOf(LATENT)).toBeCloseTo(2 / Math.sqrt(128), 12);
  });

  it('has the matrices of its kind', () => {
    expect(attentionMatrices(GROUPED, 4096)).toEqual([[4096, 4096], [1024, 4096], [1024, 4096], [4096, 4096]]);
    expect(attentionMatrices(LATENT, 4096)).toEqual([[1024, 4096], [4096, 1024], [320, 4096], [6144, 256], [4096, 4096]]);
    expect(attentionMatrices({ ...LATENT, queryRank: null }, 4096)[0]).toEqual([4096, 4096]);
  });
});
