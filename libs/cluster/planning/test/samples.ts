import { type ModelDescription, PLAIN_ROUTER, PLAIN_ROUTING, workerId } from '@essaim/core';
import { NO_OVERHEAD, type PlannedDevice, type PlannedLoad, type Topology } from '../src/index.ts';

export const MIXTRAL_8X7B: ModelDescription = {
  family: 'mixtral', vocabSize: 32_000, hiddenSize: 4096, layerCount: 32, contextLength: 32_768,
  attention: { kind: 'gqa', headCount: 32, kvHeadCount: 8, headSize: 128, slidingWindow: null }, rope: { kind: 'default', theta: 1e6 }, queryScaling: null,
  feedForward: { kind: 'moe', size: 14_336, expertCount: 8, expertsPerToken: 2, ...PLAIN_ROUTING },
  normEpsilon: 1e-5, tiedEmbedding: false, bosTokenId: 1, eosTokenIds: [2], precision: 'float', predictorLayerCount: 0, vision: false,
};

export const MISTRAL_LARGE_3: ModelDescription = {
  ...MIXTRAL_8X7B,
  family: 'mistral4', vocabSize: 131_072, hiddenSize: 7168, layerCount: 61, contextLength: 294_912,
  attention: { kind: 'mla', headCount: 128, queryRank: 1536, latentRank: 512, plainSize: 128, rotarySize: 64, valueSize: 128, normEpsilon: 1e-6, rotaryPairs: 'interleaved', scoreScale: 1 },
  feedForward: { kind: 'moe', size: 4096, expertCount: 128, expertsPerToken: 4, router: PLAIN_ROUTER, sharedSize: 4096, denseLayerCount: 3, denseSize: 16_384 },
  precision: 'fp8',
};

export const H200: PlannedDevice = { name: 'H200', processor: 'gpu', memoryBytes: 141e9, readBytesPerSecond: 4.8e12, flopsPerSecond: 989e12, pricePerHour: 3.5, overhead: NO_OVERHEAD };

export const LOAD: PlannedLoad = { replicas: 1, contextTokens: 4096, streams: 16, wireBytesPerValue: 4 };

/** Machines with so many workers each, all of one device. */
export function topologyOf(workersOfNodes: readonly number[], device: PlannedDevice = H200): Topology {
  return {
    name: 'test',
    workers: workersOfNodes.flatMap((count, node) => Array.from({ length: count }, (_, nth) => ({ id: workerId(`${node}-${`${nth}`.padStart(3, '0')}`), node, device }))),
    within: workersOfNodes.map(() => ({ kind: 'NVLink', bytesPerSecond: 450e9, roundTripSeconds: 1e-5 })),
    between: { kind: 'InfiniBand', bytesPerSecond: 50e9, roundTripSeconds: 2e-5 },
    measuredWith: null,
  };
}
