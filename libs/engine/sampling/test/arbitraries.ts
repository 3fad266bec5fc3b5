import fc from 'fast-check';
import { type SamplingParams } from '@essaim/core';

/** Logits with many ties and ids that can't be chosen, but at least one that can. */
export const anyLogits = (maxVocab = 80): fc.Arbitrary<Float32Array> =>
  fc
    .array(fc.oneof(
      { weight: 4, arbitrary: fc.float({ min: -20, max: 20, noNaN: true }) },
      { weight: 1, arbitrary: fc.float({ min: -2000, max: 2000, noNaN: true }) },
      { weight: 4, arbitrary: fc.integer({ min: -3, max: 3 }) },
      { weight: 1, arbitrary: fc.constant(-Infinity) },
    ), { minLength: 1, maxLength: maxVocab })
    .filter((logits) => logits.some(Number.isFinite))
    .map((logits) => Float32Array.from(logits));

const optional = <T>(off: T, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T> => fc.oneof(fc.constant(off), arbitrary);
const between = (min: number, max: number): fc.Arbitrary<number> => fc.double({ min, max, noNaN: true });

/** Parameters that a gateway lets through. */
export const anyParams = (): fc.Arbitrary<SamplingParams> =>
  fc.record({
    temperature: optional(0, between(0.05, 2)),
    topP: optional(1, between(0.01, 1)),
    topK: optional(0, fc.integer({ min: 1, max: 100 })),
    minP: optional(0, between(0, 1)),
    presencePenalty: optional(0, between(-2, 2)),
    frequencyPenalty: optional(0, between(-2, 2)),
    repetitionPenalty: optional(1, between(0.5, 2)),
    logitBias: fc.array(fc.tuple(fc.integer({ min: 0, max: 79 }), between(-100, 100)), { maxLength: 4 }).map((entries) => new Map(entries)),
    seed: fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
  });
