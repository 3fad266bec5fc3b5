import { assert, type GroupedQueryAttention, type GroupedQueryWeights, type LayerWeights } from '@essaim/core';
import { columnSlice, rowSlice, type Slice, stack } from '@essaim/quantise';
import { GraphBuilder, type Graph } from '../graph-builder.ts';
import { groupedQueryOf } from '../grouped-query.ts';
import { type CompiledModel } from '../piece.ts';
import { linear, vector } from '../weights.ts';

/** Grouped-query attention: what comes before it, itself, and what comes after it. Heads are those of one slice. */

/**
 * hidden [tokens, hidden], cos and sin [1, tokens, headSize / 2] -> query [1, tokens, heads * headSize], key and value
 * [1, tokens, kvHeads * headSize], query and key rotated (half-split layout, as Hugging Face checkpoints have it). A model that scales
 * its queries also takes queryScale [1, tokens, 1].
 */
export function gqaPreGraph({ spec, dtype }: CompiledModel, { inputNorm, attention }: LayerWeights, slice: Slice): Graph {
  const { query, key, value } = groupedQueryWeights(attention);
  const { headCount, kvHeadCount, headSize } = headsOf(groupedQueryOf(spec), slice);
  const [queryWidth, kvWidth] = [headCount * headSize, kvHeadCount * headSize];
  const graph = new GraphBuilder('pre');
  const hidden = graph.input('hidden', { type: 'f32', dims: ['tokens', spec.hiddenSize] });
  const angles = ['cos', 'sin'].map((name) => graph.input(name, { type: 'f32', dims: [1, 'tokens', headSize / 2] }));
  const normed = rmsNorm(graph, hidden, { weight: vector(graph, 'norm', inputNorm), epsilon: spec.normEpsilon });
  const joined = linear(graph, normed, { name: 'qkv', weight: stack(rowSlice(query, slice), rowSlice(key, slice), rowSlice(value, slice)), dtype });
  const parts = graph.nodes('Split', [joined, graph.integers([queryWidth, kvWidth, kvWidth])], { outputs: 3, attributes: { axis: 1 } });
  const batched = (part: string, width: number): string => graph.node('Reshape', [part, graph.integers([1, -1, width])]);
  const rotate = (part: string, heads: number, name: string): void =>
    void graph.nodes('RotaryEmbedding', [batched(part, heads * headSize), ...angles], { outputs: [name], attributes: { num_heads: heads, interleaved: 0 } });
  rotate(parts[0]!, headCount, spec.queryScaling === null ? 'query' : 'rotated');
  if (spec.queryScaling !== null) graph.nodes('Mul', ['rotated', graph.input('queryScale', { type: 'f32', dims: [1, 'tokens', 1] })], { outputs: ['query'] });
  rotate(parts[1]!, kvHeadCount, 'key');
  graph.nodes('Reshape', [parts[2]!, graph.integers([1, -1, kvWidth])], { outputs: ['value'] });
  graph.output('query', { type: 'f32', dims: [1, 'tokens', queryWidth] });
  for (const name of ['key', 'value']) graph.output(name, { type: 'f32', dims: [1, 'tokens', kvWidth] });
  return graph.build();
}

/**
 * query [1, tokens, heads * headSize], key and value [1, length, kvHeads * headSize] -> attended [1, tokens, heads * headSize].
 * With `masked` also mask [tokens, length], added to the scores: 0 or -Infinity. Without, every token sees everything.
 */
export function gqaGraph(attention: GroupedQueryAttention, { masked }: { readonly masked: boolean }, slice: Slice): Graph {
  const { headCount, kvHeadCount, headSize } = headsOf(attention, slice);
  const [queryWidth, kvWidth] = [headCount * headSize, kvHeadCount * headSize];
  const graph = new GraphBuilder('attention');
  const inputs = [graph.input('query', { type: 'f32', dims: [1, 'tokens', queryWidth] })];
  for (const name of ['key', 'value']) inputs.push(graph.input(name, { type: 'f32', dims: [1, 'length', kvWidth] }));
  if (masked) inputs.push(graph.input('mask', { type: 'f32', dims: ['tokens', 'length'] }));
  graph.nodes('Attention', inputs, { outputs: ['attended'], attributes: { q_num_heads: headCount, kv_num_heads: kvHeadCount } });
  graph.output('attended', { type: 'f32', dims: [1, 'tokens', queryWidth] });
  return graph.build();
}

/** attended [1, tokens, heads * headSize] -> added [tokens, hidden]; the sum over all slices is what attention adds to the residual stream. */
export function gqaOutputGraph({ spec, dtype }: CompiledModel, { attention }: LayerWeights, slice: Slice): Graph {
  const { output } = groupedQueryWeights(attention);
  const { headCount, headSize } = headsOf(groupedQueryOf(spec), slice);
  const graph = new GraphBuilder('output');
  const attended = graph.input('attended', { type: 'f32', dims: [1, 'tokens', headCount * headSize] });
  const rows = graph.node('Reshape', [attended, graph.integers([-1, headCount * headSize])]);
  graph.nodes('Identity', [linear(graph, rows, { name: 'output', weight: stack(columnSlice(output, slice)), dtype })], { outputs: ['added'] });
  graph.output('added', { type: 'f32', dims: ['tokens', spec.hiddenSize] });
  return graph.build();
}

function groupedQueryWeights(attention: LayerWeights['attention']): GroupedQueryWeights {
  assert(attention.kind === 'gqa', 'the weights of a layer are those of its kind of attention');
  return attention;
}

const headsOf = ({ headCount, kvHeadCount, headSize }: GroupedQueryAttention, { of }: Slice): Pick<GroupedQueryAttention, 'headCount' | 'kvHeadCount' | 'headSize'> =>
  ({ headCount: headCount / of, kvHeadCount: kvHeadCount / of, headSize });

/** Root mean square normalisation with a weight per channel; ONNX Runtime knows it by this name. */
export function rmsNorm(graph: GraphBuilder, x: string, { weight, epsilon }: { readonly weight: string; readonly epsilon: number }): string {
  return graph.node('SimplifiedLayerNormalization', [x, weight], { attributes: { axis: -1, epsilon: { float: epsilon }, stash_type: 1 } });
}
