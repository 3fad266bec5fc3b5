import { assert, type GroupedQueryAttention, type GroupedQueryWeights, type LayerWeights, scoreFactorOf } from '@essaim/core';
import { stack } from '@essaim/quantise';
import { GraphBuilder } from '../graph-builder.ts';
import { linear, vector } from '../weights.ts';
import { type AttentionGraphs } from './attention-graphs.ts';
import { rmsNorm } from './norm.ts';

/**
 * Grouped-query attention of ONNX's own operators. Queries and keys are turned half-split, as Hugging Face checkpoints have them. ONNX Runtime's
 * GroupQueryAttention is not used: on WebGPU (1.30.0, SwiftShader) it gave wrong sums for a prompt of 32 tokens.
 */
export function groupedQueryGraphs(shape: GroupedQueryAttention): AttentionGraphs {
  const { headCount, kvHeadCount, headSize } = shape;
  const [queryWidth, kvWidth] = [headCount * headSize, kvHeadCount * headSize];
  const kept = { dims: [kvHeadCount, 0, headSize], tokensAxis: 1 } as const;
  return {
    projected: ([['query', queryWidth], ['key', kvWidth], ['value', kvWidth]] as const).map(([name, width]) => ({ name, rowsAxis: 1, dims: [1, 'rows', width] })),
    kept: [{ name: 'keys', ...kept }, { name: 'values', ...kept }],
    attended: { rowsAxis: 1, dims: [1, 'rows', queryWidth] },

    before(model, { inputNorm, attention }) {
      const { spec } = model;
      const { query, key, value } = weightsOf(attention);
      const graph = new GraphBuilder('before attention');
      const hidden = graph.input('hidden', { type: 'f32', dims: ['rows', spec.hiddenSize] });
      const angles = ['cos', 'sin'].map((name) => graph.input(name, { type: 'f32', dims: [1, 'rows', headSize / 2] }));
      const normed = rmsNorm(graph, hidden, { weight: vector(graph, 'norm', inputNorm), epsilon: spec.normEpsilon });
      const joined = linear(graph, normed, { name: 'qkv', weight: stack(query, key, value), form: model });
      const parts = graph.nodes('Split', [joined, graph.integers([queryWidth, kvWidth, kvWidth])], { outputs: 3, attributes: { axis: 1 } });
      const batched = (part: string, width: number): string => graph.node('Reshape', [part, graph.integers([1, -1, width])]);
      const turn = (part: string, heads: number, name: string): void =>
        void graph.nodes('RotaryEmbedding', [batched(part, heads * headSize), ...angles], { outputs: [name], attributes: { num_heads: heads, interleaved: 0 } });
      turn(parts[0]!, headCount, spec.queryScaling === null ? 'query' : 'turned');
      if (spec.queryScaling !== null) graph.nodes('Mul', ['turned', graph.input('queryScale', { type: 'f32', dims: [1, 'rows', 1] })], { outputs: ['query'] });
      turn(parts[1]!, kvHeadCount, 'key');
      graph.nodes('Reshape', [parts[2]!, graph.integers([1, -1, kvWidth])], { outputs: ['value'] });
      for (const { name, dims } of this.projected) graph.output(name, { type: 'f32', dims });
      return graph.build();
    },

    among(graph, projected, past, mask) {
      const group = headCount / kvHeadCount;
      const reshaped = (value: string, dims: readonly number[]): string => graph.node('Reshape', [value, graph.integers(dims)]);
      const turned = (value: string, perm: readonly number[]): string => graph.node('Transpose', [value], { attributes: { perm } });
      // [kvHeads, group, rows, headSize]: the queries that share a key.
      const queries = turned(reshaped(projected[0]!, [-1, kvHeadCount, group, headSize]), [1, 2, 0, 3]);
      const [keys, values] = [1, 2].map((nth) => graph.node('Concat', [past[nth - 1]!, turned(reshaped(projected[nth]!, [-1, kvHeadCount, headSize]), [1, 0, 2])], { attributes: { axis: 1 } }));
      const products = graph.node('MatMul', [graph.node('Mul', [queries, graph.float(scoreFactorOf(shape))]), reshaped(turned(keys!, [0, 2, 1]), [kvHeadCount, 1, headSize, -1])]);
      const shares = graph.node('Softmax', [graph.node('Add', [products, mask])], { attributes: { axis: -1 } });
      const sums = graph.node('MatMul', [shares, reshaped(values!, [kvHeadCount, 1, -1, headSize])]);
      return { attended: reshaped(turned(sums, [2, 0, 1, 3]), [1, -1, queryWidth]), kept: [keys!, values!] };
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
