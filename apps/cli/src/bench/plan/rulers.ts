import { type ModelSpec } from '@essaim/core';
import { SYNTHETIC_MIXTRAL } from '../synthetic/model.ts';

/** Without the tokenizer's widening: the built-in vocabulary. */
const VOCAB_SIZE = 8192;

function ruler({ layerCount, hiddenSize, headCount, expertSize }: { readonly layerCount: number; readonly hiddenSize: number; readonly headCount: number; readonly expertSize: number }): ModelSpec {
  return {
    ...SYNTHETIC_MIXTRAL, vocabSize: VOCAB_SIZE, layerCount, hiddenSize,
    attention: { kind: 'gqa', headCount, kvHeadCount: headCount / 4, headSize: 64, slidingWindow: null },
    feedForward: { ...SYNTHETIC_MIXTRAL.feedForward, size: expertSize } as ModelSpec['feedForward'],
  };
}

/**
 * Models of random weights that tell what each term of a plan costs, none of them a model that plans are checked with: two of next to no weights,
 * whose difference is what a layer takes, one whose weights are all that counts, and one between them.
 */
export const RULERS: Readonly<Record<string, ModelSpec>> = {
  shallow: ruler({ layerCount: 4, hiddenSize: 256, headCount: 4, expertSize: 128 }),
  deep: ruler({ layerCount: 16, hiddenSize: 256, headCount: 4, expertSize: 128 }),
  middle: ruler({ layerCount: 8, hiddenSize: 512, headCount: 8, expertSize: 1024 }),
  heavy: ruler({ layerCount: 3, hiddenSize: 1536, headCount: 24, expertSize: 2560 }),
};
