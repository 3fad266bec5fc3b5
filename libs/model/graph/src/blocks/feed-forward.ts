import { assert, type FeedForwardWeights, type LayerWeights } from '@essaim/core';
import { stack } from '@essaim/quantise';
import { GraphBuilder, type Graph } from '../graph-builder.ts';
import { type CompiledModel } from '../piece.ts';
import { product, toCompute, toFloat32 } from '../weights.ts';
import { addRows } from './rows.ts';

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
 * One routed expert over some rows: normed and next [all rows, hidden], rows [n], gates [n, 1], places [all rows] -> sum [all rows, hidden]: next, and
 * to row r of it the place places[r] of what the expert makes of those rows, times its gate; place n is a row of zeros.
 */
export function expertGraph(model: CompiledModel, { feedForward }: LayerWeights, expert: number): Graph {
  assert(feedForward.kind === 'moe', 'an expert belongs to a layer with routed experts');
  const weights = feedForward.experts[expert];
  assert(weights, `the layer has an expert ${expert}`);
  const { hiddenSize } = model.spec;
  const graph = new GraphBuilder('expert');
  const [normed, next] = ['normed', 'next'].map((name) => graph.input(name, { type: 'f32', dims: ['all', hiddenSize] }));
  const rows = graph.node('Gather', [normed!, graph.input('rows', { type: 'i64', dims: ['rows'] })], { attributes: { axis: 0 } });
  const weighted = graph.node('Mul', [feedForwardOf(graph, rows, model, weights), graph.input('gates', { type: 'f32', dims: ['rows', 1] })]);
  addRows(graph, { next: next!, values: weighted, hiddenSize });
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
