import { GraphBuilder, type Graph } from '../graph-builder.ts';
import { type CompiledModel } from '../piece.ts';
import { stack } from '../row-chunks.ts';
import { linear, vector } from '../weights.ts';
import { rmsNorm } from './gqa.ts';

/** hidden [tokens, hidden] -> logits [tokens, vocab]. */
export function headGraph({ spec, weights, dtype }: CompiledModel): Graph {
  const graph = new GraphBuilder('head');
  const hidden = graph.input('hidden', { type: 'f32', dims: ['tokens', spec.hiddenSize] });
  const normed = rmsNorm(graph, hidden, { weight: vector(graph, 'norm', weights.finalNorm), epsilon: spec.normEpsilon });
  const logits = linear(graph, normed, { name: 'head', weight: stack(weights.head), dtype });
  graph.nodes('Identity', [logits], { outputs: ['logits'] });
  graph.output('logits', { type: 'f32', dims: ['tokens', spec.vocabSize] });
  return graph.build();
}
