import { type ModelSpec, type TensorView, type WeightDtype } from '@essaim/core';
import { type PanelModel } from '@essaim/panels';
import { hashedView } from './hashed-view.ts';

export interface HeadSize {
  readonly hiddenSize: number;
  readonly vocabSize: number;
  readonly dtype: WeightDtype;
}

export interface HeadedModel extends PanelModel {
  /** How often rows of any tensor were read. */
  reads(): number;
}

/** A model of a table, a norm and a head, without layers, of any size: it lies nowhere. */
export function headedModel({ hiddenSize, vocabSize, dtype }: HeadSize): HeadedModel {
  let reads = 0;
  const view = (name: string, rows: number): TensorView => hashedView({ name, rows, columns: hiddenSize, onRead: () => void reads++ });
  const spec: ModelSpec = {
    family: 'mistral', vocabSize, hiddenSize, layerCount: 0, contextLength: 64, normEpsilon: 1e-5, tiedEmbedding: false, bosTokenId: 1, eosTokenIds: [2],
    attention: { kind: 'gqa', headCount: 1, kvHeadCount: 1, headSize: 32, slidingWindow: null }, rope: { kind: 'default', theta: 10_000 }, queryScaling: null,
    feedForward: { kind: 'dense', size: 32 },
  };
  return { spec, weights: { embedding: view('embedding', vocabSize), layers: [], finalNorm: view('norm', 1), head: view('head', vocabSize) }, dtype, reads: () => reads };
}
