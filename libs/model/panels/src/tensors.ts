import { assert, type FeedForwardWeights, type LayerWeights, type ModelSpec, type TensorView, type WeightDtype } from '@essaim/core';
import { headMatrices } from './head-matrices.ts';
import { type PanelModel, type PanelPiece } from './piece.ts';

/** `panels`: matrices of one width, one above the other, each from a panel of its own on. `vector`: float32. `rows`: a table, in its stored form. */
export type PieceTensor =
  | { readonly name: string; readonly kind: 'panels'; readonly dtype: WeightDtype; readonly parts: readonly TensorView[] }
  | { readonly name: string; readonly kind: 'vector' | 'rows'; readonly view: TensorView };

/** What a piece consists of, in the order of its file. The one place that says so: layout, content and digest follow. */
export function tensorsOf({ spec, weights, dtype }: PanelModel, piece: PanelPiece): readonly PieceTensor[] {
  switch (piece.kind) {
    case 'embed':
      return [{ name: 'embedding', kind: 'rows', view: weights.embedding }];
    case 'layer': {
      const layer = layerOf(weights.layers, piece.layer);
      return [vector('attentionNorm', layer.inputNorm), ...attentionTensors(spec, layer, dtype), vector('feedForwardNorm', layer.postAttentionNorm), ...routerOf(layer)];
    }
    case 'dense': {
      const { feedForward } = layerOf(weights.layers, piece.layer);
      const network = feedForward.kind === 'dense' ? feedForward : feedForward.shared;
      assert(network, `layer ${piece.layer} has a network that every token passes`);
      return feedForwardTensors(network, dtype);
    }
    case 'expert': {
      const { feedForward } = layerOf(weights.layers, piece.layer);
      assert(feedForward.kind === 'moe', `layer ${piece.layer} has routed experts`);
      const expert = feedForward.experts[piece.expert];
      assert(expert, `layer ${piece.layer} has an expert ${piece.expert}`);
      return feedForwardTensors(expert, dtype);
    }
    case 'head':
      return [vector('norm', weights.finalNorm), panels('head', dtype, weights.head)];
  }
}

/** What is read to make a tensor. */
export const viewsOf = (tensor: PieceTensor): readonly TensorView[] => (tensor.kind === 'panels' ? tensor.parts : [tensor.view]);

function attentionTensors({ attention: shape }: ModelSpec, { attention }: LayerWeights, dtype: WeightDtype): PieceTensor[] {
  if (attention.kind === 'gqa') {
    const { query, key, value, output } = attention;
    return [panels('qkv', dtype, query, key, value), panels('output', dtype, output)];
  }
  assert(shape.kind === 'mla', 'the weights of a layer are those of its kind of attention');
  const { queryLatent, query, keyValueDown, latentNorm, keyValueUp, output } = attention;
  const { keyUp, up } = headMatrices(keyValueUp, shape);
  return [
    panels('down', dtype, queryLatent?.down ?? query, keyValueDown), vector('latentNorm', latentNorm),
    ...(queryLatent === null ? [] : [vector('queryNorm', queryLatent.norm), panels('query', dtype, query)]),
    panels('keyUp', dtype, ...keyUp), panels('up', dtype, ...up), panels('output', dtype, output),
  ];
}

/** The router decides which weights run at all: it stays exact. */
function routerOf({ feedForward }: LayerWeights): PieceTensor[] {
  if (feedForward.kind === 'dense') return [];
  const { router, correctionBias } = feedForward;
  return [panels('router', 'float32', router), ...(correctionBias === null ? [] : [vector('correctionBias', correctionBias)])];
}

const feedForwardTensors = ({ gate, up, down }: FeedForwardWeights, dtype: WeightDtype): PieceTensor[] => [panels('gateUp', dtype, gate, up), panels('down', dtype, down)];

const vector = (name: string, view: TensorView): PieceTensor => ({ name, kind: 'vector', view });
const panels = (name: string, dtype: WeightDtype, ...parts: TensorView[]): PieceTensor => ({ name, kind: 'panels', dtype, parts });

function layerOf(layers: readonly LayerWeights[], layer: number): LayerWeights {
  const found = layers[layer];
  assert(found, `the model has a layer ${layer}`);
  return found;
}
