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
    kept: [{ name: 'keys', dims: [kvHeadCount, headSize, 0], tokensAxis: 2 }, { name: 'values', dims: [kvHeadCount, 0, headSize], tokensAxis: 1 }],
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

    among(graph, projected, past, mask) {
      const reshaped = (value: string, dims: readonly number[]): string => graph.node('Reshape', [value, graph.integers(dims)]);
      // Of a single row nothing moves in memory.
      const turned = (value: string, from: readonly number[], perm: readonly number[]): string =>
        mask === null ? reshaped(value, perm.map((axis) => from[axis]!).map((size) => (size === -1 ? 1 : size))) : graph.node('Transpose', [reshaped(value, from)], { attributes: { perm } });
      // [kvHeads, group, rows, headSize]: the queries that share a key.
      const queries = turned(projected[0]!, [-1, kvHeadCount, group, headSize], [1, 2, 0, 3]);
      const keys = graph.node('Concat', [past[0]!, turned(projected[1]!, [-1, kvHeadCount, headSize], [1, 2, 0])], { attributes: { axis: 2 } });
      const values = graph.node('Concat', [past[1]!, turned(projected[2]!, [-1, kvHeadCount, headSize], [1, 0, 2])], { attributes: { axis: 1 } });
      const scores = graph.node('MatMul', [queries, reshaped(keys, [kvHeadCount, 1, headSize, -1])]);
      const shares = graph.node('Softmax', [mask === null ? scores : graph.node('Add', [scores, mask])], { attributes: { axis: -1 } });
      const sums = graph.node('MatMul', [shares, reshaped(values, [kvHeadCount, 1, -1, headSize])]);
      return { attended: reshaped(mask === null ? sums : graph.node('Transpose', [sums], { attributes: { perm: [2, 0, 1, 3] } }), [1, -1, queryWidth]), kept: [keys, values] };
    },

    after(graph, model, { attention }) {
      const attended = graph.input('attended', { type: 'f32', dims: this.attended.dims });
      const rows = graph.node('Reshape', [attended, graph.integers([-1, queryWidth])]);
      return linear(graph, rows, { name: 'output', weight: stack(weightsOf(attention).output), form: model });
    },
  };
}

function weightsOf(attention: LayerWeights['attention']): GroupedQueryWeights {
  assert(attention.kind === 'gqa', 'the weights of a layer are those of its kind of attention');
  return attention;
}
