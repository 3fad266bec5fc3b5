import { ELEMENT, GraphBuilder } from './graph-builder.ts';

/** How a graph that measures a device repeats itself: what it takes longer for more repetitions is the device's alone. */
export interface Repeated {
  /** Of floats in a copy, of rows and columns in a product. */
  readonly size: number;
  readonly times: number;
}

/** Reads and writes `size` floats so many times, in memory of the device: input [1] -> output [1]. */
export function repeatedCopyGraph({ size, times }: Repeated): Uint8Array {
  const graph = new GraphBuilder('copy');
  let values = graph.node('Expand', [graph.input('input', { type: 'f32', dims: [1] }), graph.integers([size])]);
  for (let time = 0; time < times; time++) values = graph.node('Neg', [values]);
  graph.nodes('Slice', [values, graph.integers([0]), graph.integers([1])], { outputs: ['output'] });
  graph.output('output', { type: 'f32', dims: [1] });
  return graph.build().model;
}

/** Multiplies a square matrix, all of whose numbers are input [1], with itself so many times -> output [1, 1]. With an input of 1 / size the numbers stay what they are. */
export function repeatedProductGraph({ size, times }: Repeated, type: 'f32' | 'f16'): Uint8Array {
  const graph = new GraphBuilder('product');
  const input = graph.input('input', { type: 'f32', dims: [1] });
  const value = type === 'f16' ? graph.node('Cast', [input], { attributes: { to: ELEMENT.f16 } }) : input;
  const matrix = graph.node('Expand', [value, graph.integers([size, size])]);
  let product = matrix;
  for (let time = 0; time < times; time++) product = graph.node('MatMul', [product, matrix]);
  const corner = graph.node('Slice', [product, graph.integers([0, 0]), graph.integers([1, 1])]);
  graph.nodes(type === 'f16' ? 'Cast' : 'Identity', [corner], { outputs: ['output'], attributes: type === 'f16' ? { to: ELEMENT.f32 } : {} });
  graph.output('output', { type: 'f32', dims: [1, 1] });
  return graph.build().model;
}
