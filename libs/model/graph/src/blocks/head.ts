import { stack } from '@essaim/quantise';
import { GraphBuilder, type Graph } from '../graph-builder.ts';
import { type CompiledModel } from '../piece.ts';
import { linear, vector } from '../weights.ts';
import { rmsNorm } from './norm.ts';

/** hidden [all rows, hidden], rows [n]: some of them -> logits [n, vocab]. */
export function headGraph(model: CompiledModel): Graph {
  const { spec, weights } = model;
  const graph = new GraphBuilder('head');
  const hidden = graph.input('hidden', { type: 'f32', dims: ['all', spec.hiddenSize] });
  const rows = graph.node('Gather', [hidden, graph.input('rows', { type: 'i64', dims: ['rows'] })], { attributes: { axis: 0 } });
  const normed = rmsNorm(graph, rows, { weight: vector(graph, 'norm', weights.finalNorm), epsilon: spec.normEpsilon });
  // What is sampled from stays float32, as the router does: a tie that rounding makes is another token.
  const logits = linear(graph, normed, { name: 'head', weight: stack(weights.head), form: { ...model, compute: 'f32' } });
  graph.nodes('Identity', [logits], { outputs: ['logits'] });
  graph.output('logits', { type: 'f32', dims: ['rows', weights.head.rows] });
  return graph.build();
}
