import { GraphBuilder } from './graph-builder.ts';

/** A graph without weights that tells whether a device computes: left, right [size, size] -> output [size, size], the softmax of each row of their product. */
export function selfTestGraph(size: number): Uint8Array {
  const graph = new GraphBuilder('self-test');
  const shape = { type: 'f32', dims: [size, size] } as const;
  const product = graph.node('MatMul', [graph.input('left', shape), graph.input('right', shape)]);
  graph.nodes('Softmax', [product], { outputs: ['output'], attributes: { axis: 1 } });
  graph.output('output', shape);
  return graph.build().model;
}

/** A graph that does as good as nothing with what it is fed, so that feeding it is what takes time: input [length] -> output [1], its first number. */
export function uploadGraph(): Uint8Array {
  const graph = new GraphBuilder('upload');
  const input = graph.input('input', { type: 'f32', dims: ['length'] });
  graph.nodes('Slice', [input, graph.integers([0]), graph.integers([1])], { outputs: ['output'] });
  graph.output('output', { type: 'f32', dims: [1] });
  return graph.build().model;
}

/** A graph that makes its one number so often, so that bringing them to the host is what takes time: input [1] -> output [length]. */
export function downloadGraph(length: number): Uint8Array {
  const graph = new GraphBuilder('download');
  graph.nodes('Expand', [graph.input('input', { type: 'f32', dims: [1] }), graph.integers([length])], { outputs: ['output'] });
  graph.output('output', { type: 'f32', dims: [length] });
  return graph.build().model;
}
