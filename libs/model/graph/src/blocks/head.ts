import { rowSlice, type Slice, stack } from '@essaim/quantise';
import { GraphBuilder, type Graph } from '../graph-builder.ts';
import { type CompiledModel } from '../piece.ts';
import { linear, vector } from '../weights.ts';
import { rmsNorm } from './gqa.ts';

/** hidden [tokens, hidden] -> logits [tokens, vocab]; of a slice, those of its part of the vocabulary. */
export function headGraph({ spec, weights, dtype }: CompiledModel, slice: Slice): Graph {
  const head = rowSlice(weights.head, slice);
  const graph = new GraphBuilder('head');
  const hidden = graph.input('hidden', { type: 'f32', dims: ['tokens', spec.hiddenSize] });
  const normed = rmsNorm(graph, hidden, { weight: vector(graph, 'norm', weights.finalNorm), epsilon: spec.normEpsilon });
  const logits = linear(graph, normed, { name: 'head', weight: stack(head), dtype });
  graph.nodes('Identity', [logits], { outputs: ['logits'] });
  graph.output('logits', { type: 'f32', dims: ['tokens', head.rows] });
  return graph.build();
}
