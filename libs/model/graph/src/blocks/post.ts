import { assert, type FeedForwardWeights, type LayerWeights, type WeightDtype } from '@essaim/core';
import { GraphBuilder, type Graph } from '../graph-builder.ts';
import { type CompiledModel } from '../piece.ts';
import { stack } from '../row-chunks.ts';
import { linear, vector } from '../weights.ts';

/**
 * attended [1, tokens, heads * headSize], hidden [tokens, hidden] -> next [tokens, hidden], the residual stream.
 * Of a layer with routed experts also normed [tokens, hidden], their input, and routerLogits [tokens, experts]; the caller adds what
 * the experts return to `next`. A dense layer is complete: its feed-forward is inside.
 */
export function postGraph({ spec, dtype }: CompiledModel, layer: LayerWeights): Graph {
  const { hiddenSize, attention } = spec;
  const queryWidth = attention.headCount * attention.headSize;
  const graph = new GraphBuilder('post');
  const attended = graph.node('Reshape', [graph.input('attended', { type: 'f32', dims: [1, 'tokens', queryWidth] }), graph.integers([-1, queryWidth])]);
  const hidden = graph.input('hidden', { type: 'f32', dims: ['tokens', hiddenSize] });
  const projected = linear(graph, attended, { name: 'output', weight: stack(layer.output), dtype });
  const isDense = layer.feedForward.kind === 'dense';
  const [normed, sum] = isDense ? ['normed', 'sum'] : ['normed', 'next'];
  graph.nodes('SkipSimplifiedLayerNormalization', [projected, hidden, vector(graph, 'norm', layer.postAttentionNorm)], {
    domain: 'com.microsoft', outputs: [normed, '', '', sum], attributes: { epsilon: { float: spec.normEpsilon } },
  });
  if (layer.feedForward.kind === 'dense') {
    graph.nodes('Add', [feedForward(graph, normed, { weights: layer.feedForward, dtype }), sum], { outputs: ['next'] });
  } else {
    // The router decides which weights run at all: it stays exact.
    const { router } = layer.feedForward;
    const logits = linear(graph, normed, { name: 'router', weight: stack(router), dtype: 'float32' });
    graph.nodes('Identity', [logits], { outputs: ['routerLogits'] });
    graph.output('normed', { type: 'f32', dims: ['tokens', hiddenSize] });
    graph.output('routerLogits', { type: 'f32', dims: ['tokens', router.rows] });
  }
  graph.output('next', { type: 'f32', dims: ['tokens', hiddenSize] });
  return graph.build();
}

/** input [tokens, hidden] -> output [tokens, hidden]: one routed expert. */
export function expertGraph({ spec, dtype }: CompiledModel, layer: LayerWeights, expert: number): Graph {
  assert(layer.feedForward.kind === 'moe', 'an expert belongs to a layer with routed experts');
  const weights = layer.feedForward.experts[expert];
  assert(weights, `the layer has an expert ${expert}`);
  const graph = new GraphBuilder('expert');
  const input = graph.input('input', { type: 'f32', dims: ['tokens', spec.hiddenSize] });
  graph.nodes('Identity', [feedForward(graph, input, { weights, dtype })], { outputs: ['output'] });
  graph.output('output', { type: 'f32', dims: ['tokens', spec.hiddenSize] });
  return graph.build();
}

/** down(silu(gate(x)) * up(x)) */
function feedForward(graph: GraphBuilder, x: string, { weights, dtype }: { readonly weights: FeedForwardWeights; readonly dtype: WeightDtype }): string {
  const { gate, up, down } = weights;
  const joined = linear(graph, x, { name: 'gateUp', weight: stack(gate, up), dtype });
  const [gated, raised] = graph.nodes('Split', [joined, graph.integers([gate.rows, up.rows])], { outputs: 2, attributes: { axis: 1 } });
  // x * sigmoid(x): SiLU is QuickGelu with alpha 1.
  const activated = graph.node('QuickGelu', [gated!], { domain: 'com.microsoft', attributes: { alpha: { float: 1 } } });
  return linear(graph, graph.node('Mul', [activated, raised!]), { name: 'down', weight: stack(down), dtype });
}
