import { assert, type FeedForwardWeights, type LayerWeights } from '@essaim/core';
import { columnSlice, rowSlice, type Slice, stack } from '@essaim/quantise';
import { GraphBuilder, type Graph } from '../graph-builder.ts';
import { type CompiledModel } from '../piece.ts';
import { linear } from '../weights.ts';

/** The network that every token of a layer passes, a dense layer's own or that of shared experts, see `feedForwardGraph`. */
export function denseGraph(model: CompiledModel, { feedForward }: LayerWeights, slice: Slice): Graph {
  const weights = feedForward.kind === 'dense' ? feedForward : feedForward.shared;
  assert(weights, 'the layer has a network that every token passes');
  return feedForwardGraph(model, weights, slice);
}

/** One routed expert, see `feedForwardGraph`. */
export function expertGraph(model: CompiledModel, { feedForward }: LayerWeights, { expert, slice }: { readonly expert: number; readonly slice: Slice }): Graph {
  assert(feedForward.kind === 'moe', 'an expert belongs to a layer with routed experts');
  const weights = feedForward.experts[expert];
  assert(weights, `the layer has an expert ${expert}`);
  return feedForwardGraph(model, weights, slice);
}

/** input [tokens, hidden] -> output [tokens, hidden]: down(silu(gate(x)) * up(x)) over the inner channels of one slice; the whole is the sum over all slices. */
function feedForwardGraph({ spec, dtype }: CompiledModel, weights: FeedForwardWeights, slice: Slice): Graph {
  const [gate, up, down] = [rowSlice(weights.gate, slice), rowSlice(weights.up, slice), columnSlice(weights.down, slice)];
  const graph = new GraphBuilder('expert');
  const input = graph.input('input', { type: 'f32', dims: ['tokens', spec.hiddenSize] });
  const joined = linear(graph, input, { name: 'gateUp', weight: stack(gate, up), dtype });
  const [gated, raised] = graph.nodes('Split', [joined, graph.integers([gate.rows, up.rows])], { outputs: 2, attributes: { axis: 1 } });
  // x * sigmoid(x): SiLU is QuickGelu with alpha 1.
  const activated = graph.node('QuickGelu', [gated!], { domain: 'com.microsoft', attributes: { alpha: { float: 1 } } });
  const output = linear(graph, graph.node('Mul', [activated, raised!]), { name: 'down', weight: stack(down), dtype });
  graph.nodes('Identity', [output], { outputs: ['output'] });
  graph.output('output', { type: 'f32', dims: ['tokens', spec.hiddenSize] });
  return graph.build();
}
