import { assert, type FeedForwardWeights, type LayerWeights } from '@essaim/core';
import { stack } from '@essaim/quantise';
import { GraphBuilder, type Graph } from '../graph-builder.ts';
import { type CompiledModel } from '../piece.ts';
import { product, toCompute, toFloat32 } from '../weights.ts';

/** The network that every token of a layer passes, a dense layer's own or that of shared experts: normed and next [rows, hidden] -> sum [rows, hidden], next with what the network makes of normed. */
export function denseGraph(model: CompiledModel, { feedForward }: LayerWeights): Graph {
  const weights = feedForward.kind === 'dense' ? feedForward : feedForward.shared;
  assert(weights, 'the layer has a network that every token passes');
  const graph = new GraphBuilder('dense');
  const shape = { type: 'f32', dims: ['rows', model.spec.hiddenSize] } as const;
  const [normed, next] = ['normed', 'next'].map((name) => graph.input(name, shape));
  graph.nodes('Add', [next!, feedForwardOf(graph, normed!, model, weights)], { outputs: ['sum'] });
  graph.output('sum', shape);
  return graph.build();
}

/**
 * One routed expert: normed [rows, hidden], next [rows or 1, hidden], gates [rows or 1, columns], column and columnEnd [1], which of these are its own
 * -> sum [rows, hidden], next with what the expert makes of normed, times its gates, which are 0 for rows that are not its own.
 */
export function expertGraph(model: CompiledModel, { feedForward }: LayerWeights, expert: number): Graph {
  assert(feedForward.kind === 'moe', 'an expert belongs to a layer with routed experts');
  const weights = feedForward.experts[expert];
  assert(weights, `the layer has an expert ${expert}`);
  const graph = new GraphBuilder('expert');
  const [normed, next] = [['normed', 'rows'], ['next', 'rows of next']].map(([name, rows]) => graph.input(name!, { type: 'f32', dims: [rows!, model.spec.hiddenSize] }));
  const range = ['column', 'columnEnd'].map((name) => graph.input(name, { type: 'i64', dims: [1] }));
  const gates = graph.node('Slice', [graph.input('gates', { type: 'f32', dims: ['gates', 'columns'] }), ...range, graph.integers([1])]);
  // What an expert makes of a row that is not its own may lie beyond float16, and infinity times 0 is no number: of zeros it makes zeros.
  const own = model.compute === 'f16' ? graph.node('Where', [graph.node('Greater', [gates, graph.float(0)]), normed!, graph.float(0)]) : normed!;
  graph.nodes('Add', [next!, graph.node('Mul', [feedForwardOf(graph, own, model, weights), gates])], { outputs: ['sum'] });
  graph.output('sum', { type: 'f32', dims: ['rows', model.spec.hiddenSize] });
  return graph.build();
}

/** input [rows, hidden] -> down(silu(gate(x)) * up(x)), [rows, hidden]. */
function feedForwardOf(graph: GraphBuilder, input: string, form: CompiledModel, { gate, up, down }: FeedForwardWeights): string {
  const joined = product(graph, toCompute(graph, input, form), { name: 'gateUp', weight: stack(gate, up), form });
  const [gated, raised] = graph.nodes('Split', [joined, graph.integers([gate.rows, up.rows])], { outputs: 2, attributes: { axis: 1 } });
  // x * sigmoid(x): SiLU is QuickGelu with alpha 1.
  const activated = graph.node('QuickGelu', [gated!], { domain: 'com.microsoft', attributes: { alpha: { float: 1 } } });
  return toFloat32(graph, product(graph, graph.node('Mul', [activated, raised!]), { name: 'down', weight: stack(down), form }), form);
}
