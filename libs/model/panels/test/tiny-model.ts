import { assert, type FeedForwardWeights, type LayerWeights, type ModelSpec, PLAIN_ROUTER, PLAIN_ROUTING, type StoredDtype, type TensorView, type WeightDtype } from '@essaim/core';
import { type PanelModel } from '../src/index.ts';

export interface TinyOptions {
  readonly dtype: WeightDtype;
  readonly hiddenSize?: number;
  readonly innerSize?: number;
  readonly vocabSize?: number;
  readonly headSize?: number;
  readonly stored?: StoredDtype;
  readonly isDense?: boolean;
  /** Another one for each version of the checkpoint's files. */
  readonly version?: string;
  /** What is at a place of a tensor instead of its usual value. */
  readonly override?: (name: string, index: number) => number | undefined;
}

export interface TinyModel extends PanelModel {
  /** Of every read so far, in order. */
  readonly reads: readonly { readonly name: string; readonly first: number; readonly count: number }[];
}

/** Two layers, three query heads and one of keys and values, dense or of three experts. Values within [-1, 1) look random; f16 and bf16 hold them exactly. */
export function tinyModel({ dtype, hiddenSize = 40, innerSize = 20, vocabSize = 50, headSize = 8, stored = 'f32', isDense = false, version = '1', override }: TinyOptions): TinyModel {
  const reads: { readonly name: string; readonly first: number; readonly count: number }[] = [];
  const view = (name: string, rows: number, columns: number): TensorView => ({
    name, rows, columns, dtype: stored,
    fingerprint: () => Promise.resolve(`${version} ${name} ${rows} ${columns}`),
    read: (first, count) => {
      reads.push({ name, first, count });
      const values = new Float32Array(count * columns);
      for (let index = 0, place = first * columns; index < values.length; index++, place++) values[index] = override?.(name, place) ?? valueAt(name, place);
      return Promise.resolve(values);
    },
  });
  const feedForward = (name: string): FeedForwardWeights => ({ gate: view(`${name}.gate`, innerSize, hiddenSize), up: view(`${name}.up`, innerSize, hiddenSize), down: view(`${name}.down`, hiddenSize, innerSize) });
  const layer = (name: string): LayerWeights => ({
    inputNorm: view(`${name}.inputNorm`, 1, hiddenSize), postAttentionNorm: view(`${name}.postNorm`, 1, hiddenSize),
    attention: {
      kind: 'gqa', query: view(`${name}.query`, 3 * headSize, hiddenSize), key: view(`${name}.key`, headSize, hiddenSize), value: view(`${name}.value`, headSize, hiddenSize),
      output: view(`${name}.output`, hiddenSize, 3 * headSize),
    },
    feedForward: isDense ? { kind: 'dense', ...feedForward(name) } : { kind: 'moe', router: view(`${name}.router`, 3, hiddenSize), correctionBias: null, experts: ['0', '1', '2'].map((expert) => feedForward(`${name}.${expert}`)), shared: null },
  });
  const spec: ModelSpec = {
    family: isDense ? 'mistral' : 'mixtral', vocabSize, hiddenSize, layerCount: 2, contextLength: 64, normEpsilon: 1e-5, tiedEmbedding: false, bosTokenId: 1, eosTokenIds: [2],
    attention: { kind: 'gqa', headCount: 3, kvHeadCount: 1, headSize, slidingWindow: null }, rope: { kind: 'default', theta: 10_000 }, queryScaling: null,
    feedForward: isDense ? { kind: 'dense', size: innerSize } : { kind: 'moe', size: innerSize, expertCount: 3, expertsPerToken: 1, ...PLAIN_ROUTING },
  };
  const weights = { embedding: view('embedding', vocabSize, hiddenSize), layers: ['0', '1'].map(layer), finalNorm: view('finalNorm', 1, hiddenSize), head: view('head', vocabSize, hiddenSize) };
  return { spec, weights, dtype, reads };
}

/** The same with its first layer dense, and in the second one a biased router and an expert that all tokens share. */
export function mixedModel(options: TinyOptions): PanelModel {
  const [routed, dense] = [tinyModel({ ...options, isDense: false }), tinyModel({ ...options, isDense: true, version: 'dense' })];
  const [{ feedForward: size }, { feedForward }] = [dense.spec, routed.spec];
  const [first, second] = [dense.weights.layers[0]!, routed.weights.layers[1]!];
  const shared = dense.weights.layers[1]!.feedForward;
  assert(feedForward.kind === 'moe' && second.feedForward.kind === 'moe' && shared.kind === 'dense', 'one model is routed, the other dense');
  return {
    ...routed,
    spec: { ...routed.spec, feedForward: { ...feedForward, sharedSize: size.size, denseLayerCount: 1, denseSize: size.size, router: { ...PLAIN_ROUTER, correctionBias: true } } },
    weights: { ...routed.weights, layers: [first, { ...second, feedForward: { ...second.feedForward, shared, correctionBias: routed.weights.finalNorm } }] },
  };
}

/** A multiple of 1/128: Knuth's multiplicative hash of the place. */
const valueAt = (name: string, place: number): number => (Math.imul(place + 7 * name.length, 2654435761) >> 24) / 128;
