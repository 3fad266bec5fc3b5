import { assert, type GroupedQueryAttention, type GroupedQueryWeights, type LayerWeights } from '@essaim/core';
import { stack } from '@essaim/quantise';
import { GraphBuilder } from '../graph-builder.ts';
import { linear, vector } from '../weights.ts';
import { type AttentionGraphs } from './attention-graphs.ts';
import { rmsNorm } from './norm.ts';

/**
 * Grouped-query attention of ONNX's own operators. Queries and keys are turned half-split, as Hugging Face checkpoints have them. Keys are kept with their tokens
 * last, as scores are computed from them. ONNX Runtime's GroupQueryAttention is not used: on WebGPU (1.30.0, SwiftShader) it gave wrong sums for a prompt of 32 tokens.
 */
export function groupedQueryGraphs(shape: GroupedQueryAttention): AttentionGraphs {
  const { headCount, kvHeadCount, headSize } = shape;
  const [queryWidth, kvWidth] = [headCount * headSize, kvHeadCount * headSize];
  const group = headCount / kvHeadCount;
  return {
    projected: ([['query', queryWidth], ['key', kvWidth], ['value', kvWidth]] as const).map(([name, width]) => ({ name, rowsAxis: 1, dims: [1, 'rows', width] })),
    kept: [{ name: 'keys', dims: [1, kvHeadCount, headSize, 0], tokensAxis: 3 }, { name: 'values', dims: [1, kvHeadCount, 0, headSize], tokensAxis: 2 }],
    attended: { rowsAxis: 1, dims: [1, 'rows', queryWidth] },

    before(model, { inputNorm, attention }) {
      const { spec } = model;
      const { query, key, value } = weightsOf(attention);
      const graph = new GraphBuilder('before attention');
      const hidden = graph.input('hidden', { type: 'f32', dims: ['rows', spec.hiddenSize] });
      const angles = (...names: readonly string[]): string[] => names.map((name) => graph.input(name, { type: 'f32', dims: [1, 'rows', headSize / 2] }));
      const normed = rmsNorm(graph, hidden, { weight: vector(graph, 'norm', inputNorm), epsilon: spec.normEpsilon });
      const joined = linear(graph, normed, { name: 'qkv', weight: stack(query, key, value), form: model });
      const parts = graph.nodes('Split', [joined, graph.integers([queryWidth, kvWidth, kvWidth])], { outputs: 3, attributes: { axis: 1 } });
      const batched = (part: string, width: number): string => graph.node('Reshape', [part, graph.integers([1, -1, width])]);
      const turn = (name: string, part: string, heads: number, by: readonly string[]): void =>
        void graph.nodes('RotaryEmbedding', [batched(part, heads * headSize), ...by], { outputs: [name], attributes: { num_heads: heads, interleaved: 0 } });
      turn('query', parts[0]!, headCount, angles('queryCos', 'querySin'));
      turn('key', parts[1]!, kvHeadCount, angles('cos', 'sin'));
      graph.nodes('Reshape', [parts[2]!, graph.integers([1, -1, kvWidth])], { outputs: ['value'] });
      for (const { name, dims } of this.projected) graph.output(name, { type: 'f32', dims });
      return graph.build();
    },

    among(graph, [query, key, value], [pastKeys, pastValues], mask) {
      const turned = (rows: string, from: readonly number[], perm: readonly number[]): string => graph.node('Transpose', [reshaped(graph, rows, from)], { attributes: { perm } });
      // [kvHeads, group, rows, headSize]: the queries that share a key.
      const queries = turned(query!, [-1, kvHeadCount, group, headSize], [1, 2, 0, 3]);
      const keys = graph.node('Concat', [pastKeys!, turned(key!, [1, -1, kvHeadCount, headSize], [0, 2, 3, 1])], { attributes: { axis: 3 } });
      const values = graph.node('Concat', [pastValues!, turned(value!, [1, -1, kvHeadCount, headSize], [0, 2, 1, 3])], { attributes: { axis: 2 } });
      const scores = graph.node('Add', [graph.node('MatMul', [queries, reshaped(graph, keys, [kvHeadCount, 1, headSize, -1])]), mask]);
      const sums = graph.node('MatMul', [softmax(graph, scores), reshaped(graph, values, [kvHeadCount, 1, -1, headSize])]);
      return { attended: reshaped(graph, graph.node('Transpose', [sums], { attributes: { perm: [2, 0, 1, 3] } }), [1, -1, queryWidth]), kept: [keys, values] };
    },

    amongSingles(graph, [query, key, value], [pastKeys, pastValues], mask) {
      const keys = graph.node('Concat', [pastKeys!, reshaped(graph, key!, [-1, kvHeadCount, headSize, 1])], { attributes: { axis: 3 } });
      const values = graph.node('Concat', [pastValues!, reshaped(graph, value!, [-1, kvHeadCount, 1, headSize])], { attributes: { axis: 2 } });
      const scores = graph.node('MatMul', [reshaped(graph, query!, [-1, kvHeadCount, group, headSize]), keys]);
      const seen = mask === null ? scores : graph.node('Add', [scores, reshaped(graph, mask, [0, 1, 1, -1])]);
      return { attended: reshaped(graph, graph.node('MatMul', [softmax(graph, seen), values]), [1, -1, queryWidth]), kept: [keys, values] };
    },

    after(graph, model, { attention }) {
      const attended = graph.input('attended', { type: 'f32', dims: this.attended.dims });
      const rows = graph.node('Reshape', [attended, graph.integers([-1, queryWidth])]);
      return linear(graph, rows, { name: 'output', weight: stack(weightsOf(attention).output), form: model });
    },
  };
}

/** Lengths of 0 are those of the value's same axis. */
const reshaped = (graph: GraphBuilder, value: string, dims: readonly number[]): string => graph.node('Reshape', [value, graph.integers(dims)]);
const softmax = (graph: GraphBuilder, scores: string): string => graph.node('Softmax', [scores], { attributes: { axis: -1 } });

function weightsOf(attention: LayerWeights['attention']): GroupedQueryWeights {
  assert(attention.kind === 'gqa', 'the weights of a layer are those of its kind of attention');
  return attention;
}
