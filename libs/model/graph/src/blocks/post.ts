import { type LayerWeights } from '@essaim/core';
import { stack } from '@essaim/quantise';
import { GraphBuilder, type Graph } from '../graph-builder.ts';
import { type CompiledModel } from '../piece.ts';
import { linear, vector } from '../weights.ts';
import { attentionOf } from './attention.ts';

/**
 * attended and hidden [rows, hidden] -> next [rows, hidden], the residual stream with what attention adds to it, and normed
 * [rows, hidden], the input of the layer's networks, whose outputs are added to `next`.
 * Of a layer with routed experts also routerLogits [rows, experts], and the router's correctionBias [experts] if it has one.
 */
export function postGraph(model: CompiledModel, layer: LayerWeights): Graph {
  const { spec: { hiddenSize, normEpsilon }, spec } = model;
  const { postAttentionNorm, feedForward } = layer;
  const graph = new GraphBuilder('after attention');
  const added = attentionOf(spec).after(graph, model, layer);
  const hidden = graph.input('hidden', { type: 'f32', dims: ['rows', hiddenSize] });
  graph.nodes('SkipSimplifiedLayerNormalization', [added, hidden, vector(graph, 'norm', postAttentionNorm)], {
    domain: 'com.microsoft', outputs: ['normed', '', '', 'next'], attributes: { epsilon: { float: normEpsilon } },
  });
  for (const name of ['next', 'normed']) graph.output(name, { type: 'f32', dims: ['rows', hiddenSize] });
  if (feedForward.kind === 'moe') {
    // The router decides which weights run at all: it stays exact.
    const logits = linear(graph, 'normed', { name: 'router', weight: stack(feedForward.router), form: { dtype: 'float32' } });
    graph.nodes('Identity', [logits], { outputs: ['routerLogits'] });
    graph.output('routerLogits', { type: 'f32', dims: ['rows', feedForward.router.rows] });
    if (feedForward.correctionBias !== null) {
      graph.nodes('Identity', [vector(graph, 'bias', feedForward.correctionBias)], { outputs: ['correctionBias'] });
      graph.output('correctionBias', { type: 'f32', dims: [feedForward.router.rows] });
    }
  }
  return graph.build();
}
