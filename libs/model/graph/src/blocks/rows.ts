import { GraphBuilder } from '../graph-builder.ts';

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

/** values.0 to values.(count - 1) [n, hidden] -> output, one behind the other. */
export function collectGraph(hiddenSize: number, count: number): Uint8Array {
  const graph = new GraphBuilder('collect');
  const inputs = Array.from({ length: count }, (_, nth) => graph.input(`values.${nth}`, { type: 'f32', dims: [`rows.${nth}`, hiddenSize] }));
  graph.nodes(count === 1 ? 'Identity' : 'Concat', inputs, { outputs: ['output'], ...(count > 1 && { attributes: { axis: 0 } }) });
  graph.output('output', { type: 'f32', dims: ['rows', hiddenSize] });
  return graph.build().model;
}

const names = (letter: string, rank: number): string[] => Array.from({ length: rank }, (_, index) => `${letter}${index}`);
