import { type YarnRope } from '@essaim/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ropeFrequencies } from './rope-frequencies.ts';

const MINISTRAL_3: YarnRope = { kind: 'yarn', theta: 1e6, factor: 16, originalContextLength: 16384, betaFast: 32, betaSlow: 1, magnitude: 1 };
/** Each operation rounds to float32. */
const ROUNDING = 1e-6;

const anyYarn = fc.record({
  kind: fc.constant('yarn' as const), theta: fc.double({ min: 100, max: 1e7, noNaN: true }), factor: fc.double({ min: 1, max: 128, noNaN: true }),
  originalContextLength: fc.integer({ min: 16, max: 1 << 17 }), betaFast: fc.double({ min: 2, max: 64, noNaN: true }), betaSlow: fc.double({ min: 0.5, max: 2, noNaN: true }),
  magnitude: fc.constant(1),
});

describe('the frequencies of stretched positions', () => {
  it('are those of transformers for Ministral 3: fast pairs as they were, slow ones a sixteenth, a ramp between', () => {
    const frequencies = ropeFrequencies(MINISTRAL_3, 128);
    const oracle: [pair: number, frequency: number][] = [
      [0, 1], [1, 0.8058422207832336], [20, 0.01333521492779255], [24, 0.004382954444736242], [28, 0.0013251795899122953], [32, 0.0003382352879270911],
      [36, 4.9611349822953343e-5], [40, 1.1114246262877714e-5], [63, 7.75586102008674e-8],
    ];
    for (const [pair, frequency] of oracle) expect(Math.abs(frequencies[pair]! / frequency - 1), `pair ${pair}`).toBeLessThan(ROUNDING);
  });

  it('fall from pair to pair, and lie between those of the original context and these divided by the factor', () => {
    fc.assert(fc.property(anyYarn, fc.constantFrom(16, 64, 128), (rope, headSize) => {
      const plain = ropeFrequencies({ kind: 'default', theta: rope.theta }, headSize);
      ropeFrequencies(rope, headSize).forEach((frequency, pair, all) => {
        expect(frequency).toBeLessThanOrEqual(plain[pair]! * (1 + ROUNDING));
        expect(frequency).toBeGreaterThanOrEqual((plain[pair]! / rope.factor) * (1 - ROUNDING));
        if (pair > 0) expect(frequency).toBeLessThan(all[pair - 1]!);
      });
    }));
  });

  it('are finite where the bounds of the ramp fall together', () => {
    const bound = 2;
    const turns = 16384 / (2 * Math.PI * 1e6 ** (bound / 64));
    const frequencies = ropeFrequencies({ ...MINISTRAL_3, betaFast: turns * (1 - 1e-9), betaSlow: turns * (1 + 1e-9) }, 128);
    expect(frequencies.every(Number.isFinite)).toBe(true);
    expect(frequencies[bound + 1]).toBeCloseTo(1e6 ** (-(bound + 1) / 64) / 16, 6);
  });
});
