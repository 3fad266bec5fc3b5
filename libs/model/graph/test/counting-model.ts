import { type FeedForwardWeights, type LayerWeights, type ModelSpec, PLAIN_ROUTING, type StoredDtype, type TensorView, type WeightDtype } from '@essaim/core';
import { type CompiledModel } from '../src/index.ts';

/** A read of rows [first, first + count) of a tensor. */
export interface RowRead {
  readonly name: string;
  readonly first: number;
  readonly count: number;
}

export interface CountingModel extends CompiledModel {
  /** All reads so far, in order. */
  readonly reads: readonly RowRead[];
}

export interface CountingOptions {
  readonly dtype: WeightDtype;
  readonly hiddenSize?: number;
  readonly vocabSize?: number;
  readonly stored?: StoredDtype;
  readonly isDense?: boolean;
  /** Another one for each version of the checkpoint's files. */
  readonly version?: string;
}

const SIZE = 20;

/** Two layers, two heads of 8, of feed-forwards of 20: dense, or three experts each. Values count through each tensor; who reads what is remembered. */
export function countingModel({ dtype, hiddenSize = 40, vocabSize = 50, stored = 'f32', isDense = false, version = '1' }: CountingOptions): CountingModel {
  const reads: RowRead[] = [];
  const view = (name: string, rows: number, columns: number): TensorView => ({
    name, rows, columns, dtype: stored,
    fingerprint: () => Promise.resolve(`${version} ${name} ${rows} ${columns}`),
    read: (first, count) => {
      reads.push({ name, first, count });
      return Promise.resolve(Float32Array.from({ length: count * columns }, (_, index) => ((first * columns + index) % 128) / 64 - 1));
    },
  });
  const feedForward = (name: string): FeedForwardWeights => ({ gate: view(`${name}.gate`, SIZE, hiddenSize), up: view(`${name}.up`, SIZE, hiddenSize), down: view(`${name}.down`, hiddenSize, SIZE) });
  const layer = (name: string): LayerWeights => ({
    inputNorm: view(`${name}.inputNorm`, 1, hiddenSize), postAttentionNorm: view(`${name}.postNorm`, 1, hiddenSize),
    attention: {
      kind: 'gqa', query: view(`${name}.query`, 16, hiddenSize), key: view(`${name}.key`, 8, hiddenSize), value: view(`${name}.value`, 8, hiddenSize), output: view(`${name}.output`, hiddenSize, 16),
    },
    feedForward: isDense ? { kind: 'dense', ...feedForward(name) } : { kind: 'moe', router: view(`${name}.router`, 3, hiddenSize), correctionBias: null, experts: ['0', '1', '2'].map((expert) => feedForward(`${name}.${expert}`)), shared: null },
  });
  const spec: ModelSpec = {
    family: isDense ? 'mistral' : 'mixtral', vocabSize, hiddenSize, layerCount: 2, contextLength: 64, normEpsilon: 1e-5, tiedEmbedding: false, bosTokenId: 1, eosTokenIds: [2],
    attention: { kind: 'gqa', headCount: 2, kvHeadCount: 1, headSize: 8, slidingWindow: null }, rope: { kind: 'default', theta: 10_000 }, queryScaling: null,
    feedForward: isDense ? { kind: 'dense', size: SIZE } : { kind: 'moe', size: SIZE, expertCount: 3, expertsPerToken: 1, ...PLAIN_ROUTING },
  };
  const weights = { embedding: view('embedding', vocabSize, hiddenSize), layers: ['0', '1'].map(layer), finalNorm: view('finalNorm', 1, hiddenSize), head: view('head', vocabSize, hiddenSize) };
  return { spec, weights, dtype, reads };
}
