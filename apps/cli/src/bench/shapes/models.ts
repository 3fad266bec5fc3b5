import { type ModelSpec } from '@essaim/core';

/** Published models by the sizes that a step meets, each cut to one routed layer. */
export const SHAPES = {
  'large-3': {
    family: 'mistral4', vocabSize: 131_072, hiddenSize: 7168, layerCount: 1, contextLength: 294_912, normEpsilon: 1e-6, tiedEmbedding: false, bosTokenId: 1, eosTokenIds: [2],
    attention: {
      kind: 'mla', headCount: 128, queryRank: 1536, latentRank: 512, plainSize: 128, rotarySize: 64, valueSize: 128, normEpsilon: 1e-6, rotaryPairs: 'interleaved', scoreScale: 1,
    },
    rope: { kind: 'yarn', theta: 10_000, factor: 36, originalContextLength: 8192, betaFast: 32, betaSlow: 1, magnitude: 1 },
    queryScaling: { beta: 0.1, originalContextLength: 8192 },
    feedForward: {
      kind: 'moe', size: 4096, expertCount: 128, expertsPerToken: 4, sharedSize: 4096, denseLayerCount: 0, denseSize: 0,
      router: { kind: 'softmax', correctionBias: false, groupCount: 1, groupsPerToken: 1, renormalised: true, scale: 1 },
    },
  },
  'small-4': {
    family: 'mistral4', vocabSize: 131_072, hiddenSize: 4096, layerCount: 1, contextLength: 1_048_576, normEpsilon: 1e-6, tiedEmbedding: false, bosTokenId: 1, eosTokenIds: [2],
    attention: {
      kind: 'mla', headCount: 32, queryRank: 1024, latentRank: 256, plainSize: 64, rotarySize: 64, valueSize: 128, normEpsilon: 1e-6, rotaryPairs: 'interleaved',
      scoreScale: (0.1 * Math.log(128) + 1) ** 2,
    },
    rope: { kind: 'yarn', theta: 10_000, factor: 128, originalContextLength: 8192, betaFast: 32, betaSlow: 1, magnitude: 1 },
    queryScaling: { beta: 0.1, originalContextLength: 8192 },
    feedForward: {
      kind: 'moe', size: 2048, expertCount: 128, expertsPerToken: 4, sharedSize: 2048, denseLayerCount: 0, denseSize: 0,
      router: { kind: 'softmax', correctionBias: false, groupCount: 1, groupsPerToken: 1, renormalised: true, scale: 1 },
    },
  },
} as const satisfies Readonly<Record<string, ModelSpec>>;

export type ShapeName = keyof typeof SHAPES;
export const SHAPE_NAMES = Object.keys(SHAPES) as ShapeName[];
/** Experts of its layer. */
export const SHAPE_EXPERTS = 128;
