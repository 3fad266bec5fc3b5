import { type ModelSpec, type TensorView, type WeightDtype } from '@essaim/core';
import { type PanelModel } from '@essaim/panels';

export interface HeadSize {
  readonly hiddenSize: number;
  readonly vocabSize: number;
  readonly dtype: WeightDtype;
}

export interface HeadedModel extends PanelModel {
  /** How often rows of any tensor were read. */
  reads(): number;
}

/** A model of a table, a norm and a head, without layers, of any size: it lies nowhere, rows are made when they are read, values within [-0.5, 0.5). */
export function headedModel({ hiddenSize, vocabSize, dtype }: HeadSize): HeadedModel {
  let reads = 0;
  const view = (name: string, rows: number): TensorView => ({
    name, rows, columns: hiddenSize, dtype: 'f32',
    fingerprint: () => Promise.resolve(`${name} ${rows} ${hiddenSize}`),
    read: (firstRow, rowCount) => {
      reads++;
      const values = new Float32Array(rowCount * hiddenSize);
      // Knuth's multiplicative hash of the place; a loop, because this fills gigabytes.
      for (let index = 0, place = firstRow * hiddenSize; index < values.length; index++, place++) values[index] = Math.imul(place, 2654435761) / 2 ** 32;
      return Promise.resolve(values);
    },
  });
  const spec: ModelSpec = {
    family: 'mistral', vocabSize, hiddenSize, layerCount: 0, contextLength: 64, normEpsilon: 1e-5, tiedEmbedding: false, bosTokenId: 1, eosTokenIds: [2],
    attention: { kind: 'gqa', headCount: 1, kvHeadCount: 1, headSize: 32, slidingWindow: null }, rope: { kind: 'default', theta: 10_000 }, queryScaling: null,
    feedForward: { kind: 'dense', size: 32 },
  };
  return { spec, weights: { embedding: view('embedding', vocabSize), layers: [], finalNorm: view('norm', 1), head: view('head', vocabSize) }, dtype, reads: () => reads };
}
