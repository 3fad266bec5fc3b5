import { type LayerWeights } from '@essaim/core';
import { stack } from '@essaim/quantise';
import { GraphBuilder, type Graph } from '../graph-builder.ts';
import { type CompiledModel } from '../piece.ts';
import { linear, vector } from '../weights.ts';

/**
 * added and hidden [tokens, hidden] -> next [tokens, hidden], the residual stream with what attention adds to it, and normed
 * [tokens, hidden], the input of the feed-forward layer or of the experts, whose outputs the caller adds to `next`.
 * Of a layer with routed experts also routerLogits [tokens, experts].
 */
export function postGraph({ spec }: CompiledModel, { postAttentionNorm, feedForward }: LayerWeights): Graph {
  const { hiddenSize } = spec;
  const graph = new GraphBuilder('post');
  const [added, hidden] = ['added', 'hidden'].map((name) => graph.input(name, { type: 'f32', dims: ['tokens', hiddenSize] }));
  graph.nodes('SkipSimplifiedLayerNormalization', [added!, hidden!, vector(graph, 'norm', postAttentionNorm)], {
    domain: 'com.microsoft', outputs: ['normed', '', '', 'next'], attributes: { epsilon: { float: spec.normEpsilon } },
  });
  for (const name of ['next', 'normed']) graph.output(name, { type: 'f32', dims: ['tokens', hiddenSize] });
  if (feedForward.kind === 'moe') {
    // The router decides which weights run at all: it stays exact.
    const logits = linear(graph, 'normed', { name: 'router', weight: stack(feedForward.router), dtype: 'float32' });
    graph.nodes('Identity', [logits], { outputs: ['routerLogits'] });
    graph.output('routerLogits', { type: 'f32', dims: ['tokens', feedForward.router.rows] });
  }
  return graph.build();
}
