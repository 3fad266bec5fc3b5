import { GraphBuilder } from '../graph-builder.ts';

/** Consecutive logits of a row that are looked at as one: the best few lie in as many of the best blocks, and these are little to bring to the host. */
export const LOGITS_BLOCK = 64;

/**
 * logits [rows, vocab], sharpness [rows, 1] -> maxima [rows, blocks], the best of each block, and of each row two sums over all logits [rows]: mass of
 * exp(logit - best), softMass of exp((logit - best) * sharpness).
 */
export function blockMaximaGraph(vocabSize: number): Uint8Array {
  const graph = new GraphBuilder('block maxima');
  const { logits, padded, blocks } = logitsInBlocks(graph, vocabSize);
  const inBlocks = graph.node('Reshape', [padded, graph.integers([-1, blocks, LOGITS_BLOCK])]);
  graph.nodes('ReduceMax', [inBlocks, graph.integers([2])], { outputs: ['maxima'], attributes: { keepdims: 0 } });
  const best = graph.node('ReduceMax', ['maxima', graph.integers([1])], { attributes: { keepdims: 1 } });
  const below = graph.node('Sub', [logits, best]);
  const soft = graph.node('Mul', [below, graph.input('sharpness', { type: 'f32', dims: ['rows', 1] })]);
  for (const [name, exponents] of Object.entries({ mass: below, softMass: soft })) {
    graph.nodes('ReduceSum', [graph.node('Exp', [exponents]), graph.integers([1])], { outputs: [name], attributes: { keepdims: 0 } });
    graph.output(name, { type: 'f32', dims: ['rows'] });
  }
  graph.output('maxima', { type: 'f32', dims: ['rows', blocks] });
  return graph.build().model;
}

/** logits [rows, vocab], places [n] of blocks, counted through all rows -> output [n, LOGITS_BLOCK]; behind the end of a row lies -Infinity. */
export function takeBlocksGraph(vocabSize: number): Uint8Array {
  const graph = new GraphBuilder('take blocks');
  const { padded } = logitsInBlocks(graph, vocabSize);
  const inBlocks = graph.node('Reshape', [padded, graph.integers([-1, LOGITS_BLOCK])]);
  graph.nodes('Gather', [inBlocks, graph.input('places', { type: 'i64', dims: ['n'] })], { outputs: ['output'], attributes: { axis: 0 } });
  graph.output('output', { type: 'f32', dims: ['n', LOGITS_BLOCK] });
  return graph.build().model;
}

function logitsInBlocks(graph: GraphBuilder, vocabSize: number): { readonly logits: string; readonly padded: string; readonly blocks: number } {
  const blocks = Math.ceil(vocabSize / LOGITS_BLOCK);
  const missing = blocks * LOGITS_BLOCK - vocabSize;
  const logits = graph.input('logits', { type: 'f32', dims: ['rows', vocabSize] });
  const padded = missing === 0 ? logits : graph.node('Pad', [logits, graph.integers([0, 0, 0, missing]), graph.float(-Infinity)]);
  return { logits, padded, blocks };
}
