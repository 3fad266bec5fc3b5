import { type TensorView } from '@essaim/core';
import { ELEMENT, GraphBuilder, type Graph } from '../graph-builder.ts';
import { storedTable } from '../weights.ts';

/** ids [tokens] -> hidden [tokens, hidden]. */
export function embedGraph(embedding: TensorView): Graph {
  const graph = new GraphBuilder('embed');
  const ids = graph.input('ids', { type: 'i64', dims: ['tokens'] });
  const rows = graph.node('Gather', [storedTable(graph, 'embedding', embedding), ids], { attributes: { axis: 0 } });
  graph.nodes('Cast', [rows], { outputs: ['hidden'], attributes: { to: ELEMENT.f32 } });
  graph.output('hidden', { type: 'f32', dims: ['tokens', embedding.columns] });
  return graph.build();
}
