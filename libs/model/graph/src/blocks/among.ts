import { type ModelSpec } from '@essaim/core';
import { type Dimension, GraphBuilder } from '../graph-builder.ts';
import { type KeptTensor } from './attention-graphs.ts';
import { attentionOf } from './attention.ts';

/** Graphs between the two of a layer: the attention of sequences, and what they keep. Without weights, serialised. */

type Shape = Pick<ModelSpec, 'attention'>;

/**
 * `count` sequences: what `before` put out for all rows of a step; of each sequence begin.n and end.n [1], its rows, what it kept (`keys.n`) and its mask
 * -> attended, the rows of these sequences one behind the other, and what each keeps now (`keys.n.now`).
 * @param whole whether one sequence has all rows of the step; then it has no begin and no end
 */
export function amongGraph({ attention }: Shape, { count, whole }: { readonly count: number; readonly whole: boolean }): Uint8Array {
  const graphs = attentionOf({ attention });
  const graph = new GraphBuilder('attention');
  for (const { name, dims } of graphs.projected) graph.input(name, { type: 'f32', dims });
  const rowsOf = (nth: number): string[] => {
    const range = ['begin', 'end'].map((name) => graph.input(`${name}.${nth}`, { type: 'i64', dims: [1] }));
    return graphs.projected.map(({ name, rowsAxis }) => graph.node('Slice', [name, ...range, graph.integers([rowsAxis])]));
  };
  const attended = Array.from({ length: count }, (_, nth) => {
    const projected = whole ? graphs.projected.map(({ name }) => name) : rowsOf(nth);
    const kept = graphs.kept.map((tensor) => graph.input(`${tensor.name}.${nth}`, { type: 'f32', dims: dimsOf(tensor, 1, `past.${nth}`) }));
    const mask = graph.input(`mask.${nth}`, { type: 'f32', dims: [`rows.${nth}`, `now.${nth}`] });
    const own = graphs.among(graph, projected, kept, mask);
    graphs.kept.forEach((tensor, index) => put(graph, own.kept[index]!, `${tensor.name}.${nth}.now`, dimsOf(tensor, 1, `now.${nth}`)));
    return own.attended;
  });
  if (count === 1) put(graph, attended[0]!, 'attended', graphs.attended.dims);
  else {
    graph.nodes('Concat', attended, { outputs: ['attended'], attributes: { axis: graphs.attended.rowsAxis } });
    graph.output('attended', { type: 'f32', dims: graphs.attended.dims });
  }
  return graph.build().model;
}

/**
 * Sequences of one row each: what `before` put out for all rows of a step, rows [n], which of them these are, what the sequences kept together (`keys`) and their mask [n, tokens]
 * -> attended, their rows in the same order, and what they keep now (`keys.now`).
 * @param whole whether they are all rows of the step; then there is no input `rows`
 * @param masked whether one of them doesn't see all tokens; else there is no input `mask`
 */
export function singlesGraph({ attention }: Shape, { whole, masked }: { readonly whole: boolean; readonly masked: boolean }): Uint8Array {
  const graphs = attentionOf({ attention });
  const graph = new GraphBuilder('attention of single rows');
  const all = graphs.projected.map(({ name, dims }) => graph.input(name, { type: 'f32', dims }));
  const rows = whole ? null : graph.input('rows', { type: 'i64', dims: ['n'] });
  const own = rows === null ? all : graphs.projected.map(({ name, rowsAxis }) => graph.node('Gather', [name, rows], { attributes: { axis: rowsAxis } }));
  const kept = graphs.kept.map((tensor) => graph.input(tensor.name, { type: 'f32', dims: dimsOf(tensor, 'n', 'past') }));
  const { attended, kept: now } = graphs.amongSingles(graph, own, kept, masked ? graph.input('mask', { type: 'f32', dims: ['n', 'now'] }) : null);
  graphs.kept.forEach((tensor, index) => put(graph, now[index]!, `${tensor.name}.now`, dimsOf(tensor, 'n', 'now')));
  put(graph, attended, 'attended', graphs.attended.dims);
  return graph.build().model;
}

/**
 * What sequences keep, taken out of what others keep together: of each of `count` sources what it keeps (`keys.n`), indices.n, which of its sequences, begin.n and end.n [1], which of its tokens, and
 * `keys.n.pads`, ONNX's way to say how many places for tokens are to be before them -> `keys`, those of the first source, then those of the next.
 */
export function regroupGraph({ attention }: Shape, count: number): Uint8Array {
  const { kept } = attentionOf({ attention });
  const graph = new GraphBuilder('regroup');
  const sources = Array.from({ length: count }, (_, nth) => ({
    indices: graph.input(`indices.${nth}`, { type: 'i64', dims: [`n.${nth}`] }),
    range: ['begin', 'end'].map((name) => graph.input(`${name}.${nth}`, { type: 'i64', dims: [1] })),
  }));
  for (const tensor of kept) {
    const parts = sources.map(({ indices, range }, nth) => {
      const values = graph.input(`${tensor.name}.${nth}`, { type: 'f32', dims: dimsOf(tensor, `sequences.${nth}`, `tokens.${nth}`) });
      const chosen = graph.node('Gather', [values, indices], { attributes: { axis: 0 } });
      const cut = graph.node('Slice', [chosen, ...range, graph.integers([tensor.tokensAxis])]);
      return graph.node('Pad', [cut, graph.input(`${tensor.name}.${nth}.pads`, { type: 'i64', dims: [2 * tensor.dims.length] })]);
    });
    put(graph, count === 1 ? parts[0]! : graph.node('Concat', parts, { attributes: { axis: 0 } }), tensor.name, dimsOf(tensor, 'sequences', 'tokens'));
  }
  return graph.build().model;
}

/** What `count` graphs put out as `attended`: values.0 and so on, and order [rows] -> output, of all rows one behind the other those that `order` names. */
export function joinGraph({ attention }: Shape, count: number): Uint8Array {
  const { attended: { dims, rowsAxis } } = attentionOf({ attention });
  const graph = new GraphBuilder('join');
  const inputs = Array.from({ length: count }, (_, nth) => graph.input(`values.${nth}`, { type: 'f32', dims: dims.map((size) => (size === 'rows' ? `rows.${nth}` : size)) }));
  const joined = graph.node('Concat', inputs, { attributes: { axis: rowsAxis } });
  put(graph, graph.node('Gather', [joined, graph.input('order', { type: 'i64', dims: ['rows'] })], { attributes: { axis: rowsAxis } }), 'output', dims);
  return graph.build().model;
}

function put(graph: GraphBuilder, value: string, name: string, dims: readonly Dimension[]): void {
  graph.nodes('Identity', [value], { outputs: [name] });
  graph.output(name, { type: 'f32', dims });
}

const dimsOf = ({ dims, tokensAxis }: KeptTensor, sequences: Dimension, tokens: Dimension): Dimension[] =>
  dims.map((size, axis) => (axis === 0 ? sequences : axis === tokensAxis ? tokens : size));
