import { expect, it } from 'vitest';
import { type ModelSpec, PLAIN_ROUTER, PLAIN_ROUTING } from '@essaim/core';
import { denseBytes, expertBytes, formatBytes } from './index.ts';

const MIXTRAL: ModelSpec = {
  family: 'mixtral', vocabSize: 32_000, hiddenSize: 4096, layerCount: 32, contextLength: 32_768,
  attention: { kind: 'gqa', headCount: 32, kvHeadCount: 8, headSize: 128, slidingWindow: null }, rope: { kind: 'default', theta: 1e6 }, queryScaling: null,
  feedForward: { kind: 'moe', size: 14_336, expertCount: 8, expertsPerToken: 2, ...PLAIN_ROUTING }, normEpsilon: 1e-5, tiedEmbedding: false, bosTokenId: 1, eosTokenIds: [2],
};

it('counts the weights of Mixtral 8x7B as published: 46.7 billion in all', () => {
  const weights = (32 * 8 * expertBytes(MIXTRAL, 'float32') + denseBytes(MIXTRAL, 'float32')) / 4;
  expect(weights / 1e9).toBeCloseTo(46.7, 1);
});

it('counts those of Mistral Large 3 as published, 673 billion without what sees images: latent attention, dense layers, shared experts', () => {
  const routed = { kind: 'moe', size: 4096, expertCount: 128, expertsPerToken: 4, router: PLAIN_ROUTER, sharedSize: 4096, denseLayerCount: 3, denseSize: 16_384 } as const;
  const large: ModelSpec = {
    ...MIXTRAL, family: 'mistral4', vocabSize: 131_072, hiddenSize: 7168, layerCount: 61, feedForward: routed,
    attention: { kind: 'mla', headCount: 128, queryRank: 1536, latentRank: 512, plainSize: 128, rotarySize: 64, valueSize: 128, normEpsilon: 1e-6, rotaryPairs: 'interleaved', scoreScale: 1 },
  };
  const heldTwice = 61 * 128 * 128 * 512;
  const weights = (58 * 128 * expertBytes(large, 'float32') + denseBytes(large, 'float32')) / 4 - heldTwice;
  expect(weights / 1e9).toBeCloseTo(673, 0);
});

it('counts the scales of the small forms', () => {
  expect(expertBytes(MIXTRAL, 'int8') / expertBytes(MIXTRAL, 'float32')).toBeCloseTo(1.0625 / 4);
  expect(expertBytes(MIXTRAL, 'int4') / expertBytes(MIXTRAL, 'float32')).toBeCloseTo(0.5625 / 4);
});

it('has no experts in a dense model', () => {
  expect(expertBytes({ ...MIXTRAL, feedForward: { kind: 'dense', size: 14_336 } }, 'float32')).toBe(0);
});

it('writes bytes for people', () => {
  expect([24e6, 1.5e9, 93.4e9].map(formatBytes)).toEqual(['24 MB', '1.5 GB', '93 GB']);
});
