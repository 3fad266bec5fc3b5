import { denseSizeOf, type FeedForwardWeights, isRouted, type LayerWeights, type ModelSpec, type ModelWeights, PLAIN_ROUTER, type WeightDtype } from '@essaim/core';
import { type PanelModel } from '@essaim/panels';
import { hashedView } from './hashed-view.ts';

const view = (name: string, rows: number, columns: number) => hashedView({ name, rows, columns });

/** A model of any shape, whose weights lie nowhere and depend on their names alone. */
export function modelOf(spec: ModelSpec, dtype: WeightDtype): PanelModel {
  const { hiddenSize, vocabSize, layerCount } = spec;
  const weights: ModelWeights = {
    embedding: view('embedding', vocabSize, hiddenSize), finalNorm: view('norm', 1, hiddenSize), head: view('head', vocabSize, hiddenSize),
    layers: Array.from({ length: layerCount }, (_, layer): LayerWeights => ({
      inputNorm: view(`${layer}.inputNorm`, 1, hiddenSize), postAttentionNorm: view(`${layer}.postNorm`, 1, hiddenSize),
      attention: attentionOf(spec, `${layer}`), feedForward: feedForwardOf(spec, layer),
    })),
  };
  return { spec, weights, dtype };
}

function attentionOf({ attention, hiddenSize }: ModelSpec, name: string): LayerWeights['attention'] {
  if (attention.kind === 'gqa') {
    const { headCount, kvHeadCount, headSize } = attention;
    return {
      kind: 'gqa', query: view(`${name}.query`, headCount * headSize, hiddenSize), key: view(`${name}.key`, kvHeadCount * headSize, hiddenSize),
      value: view(`${name}.value`, kvHeadCount * headSize, hiddenSize), output: view(`${name}.output`, hiddenSize, headCount * headSize),
    };
  }
  const { headCount, queryRank, latentRank, plainSize, rotarySize, valueSize } = attention;
  return {
    kind: 'mla', queryLatent: queryRank === null ? null : { down: view(`${name}.queryDown`, queryRank, hiddenSize), norm: view(`${name}.queryNorm`, 1, queryRank) },
    query: view(`${name}.query`, headCount * (plainSize + rotarySize), queryRank ?? hiddenSize), keyValueDown: view(`${name}.keyValueDown`, latentRank + rotarySize, hiddenSize),
    latentNorm: view(`${name}.latentNorm`, 1, latentRank), keyValueUp: view(`${name}.keyValueUp`, headCount * (plainSize + valueSize), latentRank), output: view(`${name}.output`, hiddenSize, headCount * valueSize),
  };
}

function feedForwardOf(spec: ModelSpec, layer: number): LayerWeights['feedForward'] {
  const { feedForward, hiddenSize } = spec;
  const network = (name: string, size: number): FeedForwardWeights => ({ gate: view(`${name}.gate`, size, hiddenSize), up: view(`${name}.up`, size, hiddenSize), down: view(`${name}.down`, hiddenSize, size) });
  const denseSize = denseSizeOf(spec, layer);
  if (feedForward.kind === 'dense' || !isRouted(spec, layer)) return { kind: 'dense', ...network(`${layer}`, denseSize) };
  const { expertCount, size, router } = feedForward;
  return {
    kind: 'moe', router: view(`${layer}.router`, expertCount, hiddenSize), correctionBias: router.correctionBias ? view(`${layer}.bias`, 1, expertCount) : null,
    experts: Array.from({ length: expertCount }, (_, expert) => network(`${layer}.${expert}`, size)), shared: denseSize === 0 ? null : network(`${layer}.shared`, denseSize),
  };
}

const SMALL = {
  vocabSize: 77, hiddenSize: 52, layerCount: 2, contextLength: 1024, normEpsilon: 1e-5, tiedEmbedding: false, bosTokenId: 1, eosTokenIds: [2], rope: { kind: 'default', theta: 10_000 },
  feedForward: { kind: 'moe', size: 23, expertCount: 3, expertsPerToken: 2, router: { ...PLAIN_ROUTER, correctionBias: true }, sharedSize: 19, denseLayerCount: 1, denseSize: 40 },
} as const satisfies Partial<ModelSpec>;

/** Two layers, a dense one and one of three experts and a shared one, no width of which is whole blocks or panels; with each kind of attention. */
export const SMALL_SPECS = {
  'grouped queries': { ...SMALL, family: 'mixtral', queryScaling: null, attention: { kind: 'gqa', headCount: 6, kvHeadCount: 2, headSize: 12, slidingWindow: null } },
  'a sliding window': { ...SMALL, family: 'mixtral', queryScaling: null, attention: { kind: 'gqa', headCount: 3, kvHeadCount: 1, headSize: 8, slidingWindow: 5 } },
  'latent attention': {
    ...SMALL, family: 'deepseek-v3', queryScaling: { beta: 0.1, originalContextLength: 4 },
    attention: { kind: 'mla', headCount: 3, queryRank: 20, latentRank: 12, plainSize: 8, rotarySize: 4, valueSize: 20, normEpsilon: 1e-6, rotaryPairs: 'interleaved', scoreScale: 1 },
  },
  'latent attention without a query latent': {
    ...SMALL, family: 'deepseek-v3', queryScaling: null,
    attention: { kind: 'mla', headCount: 18, queryRank: null, latentRank: 20, plainSize: 12, rotarySize: 8, valueSize: 4, normEpsilon: 1e-6, rotaryPairs: 'halves', scoreScale: 1 },
  },
} as const satisfies Record<string, ModelSpec>;
