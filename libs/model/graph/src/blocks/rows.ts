import { type ModelSpec } from '@essaim/core';
import { type Dimension, GraphBuilder } from '../graph-builder.ts';
import { attentionOf } from './attention.ts';

/** Graphs without weights, for what passes between the pieces of a model: serialised, as they need no file. */

/** next [all, hidden], values [n, hidden], places [all] -> sum [all, hidden]: next, and to row r of it row places[r] of values; place n is a row of zeros. */
export function addGraph(hiddenSize: number): Uint8Array {
  const graph = new GraphBuilder('add');
  const [next, values] = [['next', 'all'], ['values', 'rows']].map(([name, rows]) => graph.input(name!, { type: 'f32', dims: [rows!, hiddenSize] }));
  const padded = graph.node('Concat', [values!, graph.zeros([1, hiddenSize])], { attributes: { axis: 0 } });
  const placed = graph.node('Gather', [padded, graph.input('places', { type: 'i64', dims: ['all'] })], { attributes: { axis: 0 } });
  graph.nodes('Add', [next!, placed], { outputs: ['sum'] });
  graph.output('sum', { type: 'f32', dims: ['all', hiddenSize] });
  return graph.build().model;
}

/** normed and next [all, hidden], rows [n] -> takenNormed and takenNext [n, hidden]: those rows of both. */
export function takeBothGraph(hiddenSize: number): Uint8Array {
  const graph = new GraphBuilder('take both');
  const rows = graph.input('rows', { type: 'i64', dims: ['rows'] });
  for (const [name, taken] of [['normed', 'takenNormed'], ['next', 'takenNext']] as const) {
    graph.nodes('Gather', [graph.input(name, { type: 'f32', dims: ['all', hiddenSize] }), rows], { outputs: [taken], attributes: { axis: 0 } });
    graph.output(taken, { type: 'f32', dims: ['rows', hiddenSize] });
  }
  return graph.build().model;
}

/** next [all, hidden], values [n, hidden], places [all] -> sum [all, hidden], in row r of it row places[r] of both, one behind the other: the inverse of taking. */
export function putGraph(hiddenSize: number): Uint8Array {
  const graph = new GraphBuilder('put');
  const both = [['next', 'all'], ['values', 'rows']].map(([name, rows]) => graph.input(name!, { type: 'f32', dims: [rows!, hiddenSize] }));
  const joined = graph.node('Concat', both, { attributes: { axis: 0 } });
  graph.nodes('Gather', [joined, graph.input('places', { type: 'i64', dims: ['all'] })], { outputs: ['sum'], attributes: { axis: 0 } });
  graph.output('sum', { type: 'f32', dims: ['all', hiddenSize] });
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

/** Values of any lengths, values.0 of ranks[0] axes and so on -> output.0 and so on, the same: from the host to a device. */
export function copyGraph(ranks: readonly number[]): Uint8Array {
  const graph = new GraphBuilder('copy');
  for (const [nth, rank] of ranks.entries()) {
    const shape = { type: 'f32', dims: names(`d${nth}.`, rank) } as const;
    graph.nodes('Identity', [graph.input(`values.${nth}`, shape)], { outputs: [`output.${nth}`] });
    graph.output(`output.${nth}`, shape);
  }
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

/** values.0 to values.(count - 1) [n, hidden] -> output, one behind the other. */
export function collectGraph(hiddenSize: number, count: number): Uint8Array {
  const graph = new GraphBuilder('collect');
  const inputs = Array.from({ length: count }, (_, nth) => graph.input(`values.${nth}`, { type: 'f32', dims: [`rows.${nth}`, hiddenSize] }));
  graph.nodes(count === 1 ? 'Identity' : 'Concat', inputs, { outputs: ['output'], ...(count > 1 && { attributes: { axis: 0 } }) });
  graph.output('output', { type: 'f32', dims: ['rows', hiddenSize] });
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

/** Sequences whose attention one graph computes. */
export interface Company {
  readonly count: number;
  /** Whether each has one row, which sees all of its sequence: then none has a mask, and begin.0 is the first row of all and end.0 one past the last. */
  readonly single: boolean;
  /** Whether their rows are all of the step: then single rows, and those of one sequence, have no begin and no end. */
  readonly whole: boolean;
}

/**
 * The attention of some sequences: what `before` put out for all rows of a step; of each sequence begin.n and end.n [1], its rows, what it kept (`keys.n`),
 * and its mask -> attended, the rows of these sequences one behind the other, and what each keeps now (`keys.n.now`).
 */
export function amongGraph({ attention }: Pick<ModelSpec, 'attention'>, { count, single, whole }: Company): Uint8Array {
  const graphs = attentionOf({ attention });
  const graph = new GraphBuilder('attention');
  for (const { name, dims } of graphs.projected) graph.input(name, { type: 'f32', dims });
  const rowsOf = (nth: number): string[] => {
    const range = ['begin', 'end'].map((name) => graph.input(`${name}.${nth}`, { type: 'i64', dims: [1] }));
    return graphs.projected.map(({ name, rowsAxis }) => graph.node('Slice', [name, ...range, graph.integers([rowsAxis])]));
  };
  const all = graphs.projected.map(({ name }) => name);
  const rowByRow = (): (readonly string[])[] => {
    const rows = whole ? all : rowsOf(0);
    const ones = graph.integers(new Array<number>(count).fill(1));
    const parts = graphs.projected.map(({ rowsAxis }, index) => graph.nodes('Split', [rows[index]!, ones], { outputs: count, attributes: { axis: rowsAxis } }));
    return Array.from({ length: count }, (_, nth) => parts.map((part) => part[nth]!));
  };
  const projected = whole && count === 1 ? [all] : single ? rowByRow() : Array.from({ length: count }, (_, nth) => rowsOf(nth));
  const attended = projected.map((rows, nth) => {
    const lengths = (dims: readonly number[], axis: number, name: string): Dimension[] => dims.map((size, index) => (index === axis ? `${name}.${nth}` : size));
    const kept = graphs.kept.map(({ name, dims, tokensAxis }) => graph.input(`${name}.${nth}`, { type: 'f32', dims: lengths(dims, tokensAxis, 'past') }));
    const mask = single ? null : graph.input(`mask.${nth}`, { type: 'f32', dims: [`rows.${nth}`, `now.${nth}`] });
    const own = graphs.among(graph, rows, kept, mask);
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
