import { type ModelSpec, type ModelWeights, PLAIN_ROUTING, type TensorView, type WeightDtype } from '@essaim/core';
import { type CompiledModel } from '@essaim/graph';

export interface SyntheticView extends TensorView {
  /** How often rows were read. */
  readonly reads: number;
}

/** A matrix of any size that lies nowhere: rows are made when they are read, the same ones each time, values within [-0.5, 0.5). */
export function syntheticView(name: string, rows: number, columns: number): SyntheticView {
  const view = {
    name, rows, columns, dtype: 'f32' as const, reads: 0,
    fingerprint: () => Promise.resolve(`${name} ${rows} ${columns}`),
    read: (firstRow: number, rowCount: number) => {
      view.reads++;
      const values = new Float32Array(rowCount * columns);
      // Knuth's multiplicative hash of the place; a loop, because this fills gigabytes.
      for (let index = 0, place = firstRow * columns; index < values.length; index++, place++) values[index] = Math.imul(place, 2654435761) / 2 ** 32;
      return Promise.resolve(values);
    },
  };
  return view;
}

export interface SyntheticSize {
  readonly hiddenSize: number;
  readonly expertSize: number;
  readonly vocabSize: number;
  readonly dtype: WeightDtype;
}

export interface SyntheticModel extends CompiledModel {
  /** How often rows of any tensor were read. */
  reads(): number;
}

/** One layer of two experts, one head of 32. */
export function syntheticModel({ hiddenSize, expertSize, vocabSize, dtype }: SyntheticSize): SyntheticModel {
  const spec: ModelSpec = {
    family: 'mixtral', vocabSize, hiddenSize, layerCount: 1, contextLength: 64, normEpsilon: 1e-5, tiedEmbedding: false, bosTokenId: 1, eosTokenIds: [2],
    attention: { kind: 'gqa', headCount: 1, kvHeadCount: 1, headSize: 32, slidingWindow: null }, rope: { kind: 'default', theta: 10_000 }, queryScaling: null,
    feedForward: { kind: 'moe', size: expertSize, expertCount: 2, expertsPerToken: 1, ...PLAIN_ROUTING },
  };
  const views: SyntheticView[] = [];
  const view = (name: string, rows: number, columns: number): SyntheticView => views[views.push(syntheticView(name, rows, columns)) - 1]!;
  const expert = (name: string) => ({ gate: view(`${name}.gate`, expertSize, hiddenSize), up: view(`${name}.up`, expertSize, hiddenSize), down: view(`${name}.down`, hiddenSize, expertSize) });
  const weights: ModelWeights = {
    embedding: view('embedding', vocabSize, hiddenSize), finalNorm: view('norm', 1, hiddenSize), head: view('head', vocabSize, hiddenSize),
    layers: [{
      inputNorm: view('inputNorm', 1, hiddenSize), postAttentionNorm: view('postNorm', 1, hiddenSize),
      attention: { kind: 'gqa', query: view('query', 32, hiddenSize), key: view('key', 32, hiddenSize), value: view('value', 32, hiddenSize), output: view('output', hiddenSize, 32) },
      feedForward: { kind: 'moe', router: view('router', 2, hiddenSize), correctionBias: null, experts: [expert('0'), expert('1')], shared: null },
    }],
  };
  return { spec, weights, dtype, reads: () => views.reduce((sum, { reads }) => sum + reads, 0) };
}
