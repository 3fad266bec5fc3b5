import { type ModelSpec } from '@essaim/core';
import { type Dimension, GraphBuilder } from '../graph-builder.ts';
import { attentionOf } from './attention.ts';

/** Graphs without weights, for what passes between the pieces of a model: serialised, as they need no file. */

/** Makes `sum` [all, hidden] an output: next [all, hidden], to row r of it row places[r] of values [n, hidden]; place n is a row of zeros. */
export function addRows(graph: GraphBuilder, { next, values, hiddenSize }: { readonly next: string; readonly values: string; readonly hiddenSize: number }): void {
  const padded = graph.node('Concat', [values, graph.zeros([1, hiddenSize])], { attributes: { axis: 0 } });
  const placed = graph.node('Gather', [padded, graph.input('places', { type: 'i64', dims: ['all'] })], { attributes: { axis: 0 } });
  graph.nodes('Add', [next, placed], { outputs: ['sum'] });
  graph.output('sum', { type: 'f32', dims: ['all', hiddenSize] });
}

/** next [all, hidden], values [n, hidden], places [all] -> sum, see `addRows`. */
export function addGraph(hiddenSize: number): Uint8Array {
  const graph = new GraphBuilder('add');
  const next = graph.input('next', { type: 'f32', dims: ['all', hiddenSize] });
  addRows(graph, { next, values: graph.input('values', { type: 'f32', dims: ['rows', hiddenSize] }), hiddenSize });
  return graph.build().model;
}

/** values [all, hidden], rows [n] -> output [n, hidden]: those rows. */
export function takeGraph(hiddenSize: number): Uint8Array {
  const graph = new GraphBuilder('take');
  const values = graph.input('values', { type: 'f32', dims: ['all', hiddenSize] });
  graph.nodes('Gather', [values, graph.input('rows', { type: 'i64', dims: ['rows'] })], { outputs: ['output'], attributes: { axis: 0 } });
  graph.output('output', { type: 'f32', dims: ['rows', hiddenSize] });
  return graph.build().model;
}

/** hidden [rows, hidden] -> output [rows]: the sum of each row's squares, which is no finite number where a value of the row is none. */
export function squaresGraph(hiddenSize: number): Uint8Array {
  const graph = new GraphBuilder('squares');
  const hidden = graph.input('hidden', { type: 'f32', dims: ['rows', hiddenSize] });
  graph.nodes('ReduceSum', [graph.node('Mul', [hidden, hidden]), graph.integers([1])], { outputs: ['output'], attributes: { keepdims: 0 } });
  graph.output('output', { type: 'f32', dims: ['rows'] });
  return graph.build().model;
}

/** values of any length -> output, the same: from the host to a device. */
export function copyGraph(rank: number): Uint8Array {
  const graph = new GraphBuilder('copy');
  const shape = { type: 'f32', dims: names('d', rank) } as const;
  graph.nodes('Identity', [graph.input('values', shape)], { outputs: ['output'] });
  graph.output('output', shape);
  return graph.build().model;
}

/** values, end [1] -> output: what of values comes before `end` along the axis. */
export function shortenGraph(rank: number, axis: number): Uint8Array {
  const graph = new GraphBuilder('shorten');
  const values = graph.input('values', { type: 'f32', dims: names('d', rank) });
  graph.nodes('Slice', [values, graph.integers([0]), graph.input('end', { type: 'i64', dims: [1] }), graph.integers([axis])], { outputs: ['output'] });
  graph.output('output', { type: 'f32', dims: names('e', rank) });
  return graph.build().model;
}

/** What `count` graphs put out, joined: values.0 to values.(count - 1) -> output, one behind the other along the axis of rows. */
export function joinGraph({ attention }: Pick<ModelSpec, 'attention'>, count: number): Uint8Array {
  const { attended: { dims, rowsAxis } } = attentionOf({ attention });
  const graph = new GraphBuilder('join');
  const inputs = Array.from({ length: count }, (_, nth) => graph.input(`values.${nth}`, { type: 'f32', dims: dims.map((size) => (size === 'rows' ? `rows.${nth}` : size)) }));
  graph.nodes('Concat', inputs, { outputs: ['output'], attributes: { axis: rowsAxis } });
  graph.output('output', { type: 'f32', dims });
  return graph.build().model;
}

/**
 * The attention of `count` sequences: what `before` put out for all rows of a step; of each sequence begin.n and end.n [1], its rows, what it kept (`keys.n`),
 * and its mask -> attended, the rows of these sequences one behind the other, and what each keeps now (`keys.n.now`).
 */
export function amongGraph({ attention }: Pick<ModelSpec, 'attention'>, count: number): Uint8Array {
  const graphs = attentionOf({ attention });
  const graph = new GraphBuilder('attention');
  for (const { name, dims } of graphs.projected) graph.input(name, { type: 'f32', dims });
  const attended = Array.from({ length: count }, (_, nth) => {
    const range = ['begin', 'end'].map((name) => graph.input(`${name}.${nth}`, { type: 'i64', dims: [1] }));
    const projected = graphs.projected.map(({ name, rowsAxis }) => graph.node('Slice', [name, ...range, graph.integers([rowsAxis])]));
    const lengths = (dims: readonly number[], axis: number, name: string): Dimension[] => dims.map((size, index) => (index === axis ? `${name}.${nth}` : size));
    const kept = graphs.kept.map(({ name, dims, tokensAxis }) => graph.input(`${name}.${nth}`, { type: 'f32', dims: lengths(dims, tokensAxis, 'past') }));
    const mask = graph.input(`mask.${nth}`, { type: 'f32', dims: [`rows.${nth}`, `now.${nth}`] });
    const own = graphs.among(graph, projected, kept, mask);
    graphs.kept.forEach(({ name, dims, tokensAxis }, index) => {
      graph.nodes('Identity', [own.kept[index]!], { outputs: [`${name}.${nth}.now`] });
      graph.output(`${name}.${nth}.now`, { type: 'f32', dims: lengths(dims, tokensAxis, 'now') });
    });
    return own.attended;
  });
  if (count === 1) graph.nodes('Identity', attended, { outputs: ['attended'] });
  else graph.nodes('Concat', attended, { outputs: ['attended'], attributes: { axis: graphs.attended.rowsAxis } });
  graph.output('attended', { type: 'f32', dims: graphs.attended.dims });
  return graph.build().model;
}

const names = (letter: string, rank: number): string[] => Array.from({ length: rank }, (_, index) => `${letter}${index}`);
