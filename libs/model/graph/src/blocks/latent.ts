import { assert, type LatentAttention, type LatentAttentionWeights, type LayerWeights, scoreFactorOf } from '@essaim/core';
import { stack } from '@essaim/quantise';
import { GraphBuilder } from '../graph-builder.ts';
import { headTables, linear, vector } from '../weights.ts';
import { type AttentionGraphs } from './attention-graphs.ts';
import { rmsNorm } from './norm.ts';

/**
 * Multi-head latent attention in its absorbed form, of ONNX's own operators: a token keeps its latent and one turned key. What makes keys and
 * values of latents is float32 whatever the dtype, since no operator multiplies quantised matrices head by head.
 * @see DeepSeek-V2, arXiv:2405.04434, section 2.1.2
 */
export function latentGraphs(shape: LatentAttention): AttentionGraphs {
  const { headCount, queryRank, latentRank, plainSize, rotarySize, valueSize, normEpsilon, rotaryPairs } = shape;
  const keySize = latentRank + rotarySize;
  const latentPart = (graph: GraphBuilder, sums: string): string => graph.node('Slice', [sums, graph.integers([0]), graph.integers([latentRank]), graph.integers([2])]);
  return {
    projected: [{ name: 'query', rowsAxis: 1, dims: [headCount, 'rows', keySize] }, { name: 'latent', rowsAxis: 0, dims: ['rows', keySize] }],
    kept: [{ name: 'latents', dims: [1, 0, keySize], tokensAxis: 1 }],
    attended: { rowsAxis: 1, dims: [headCount, 'rows', latentRank] },

    before(model, { inputNorm, attention }) {
      const { spec } = model;
      const { queryLatent, query, keyValueDown, latentNorm, keyValueUp } = weightsOf(attention);
      const graph = new GraphBuilder('before attention');
      const hidden = graph.input('hidden', { type: 'f32', dims: ['rows', spec.hiddenSize] });
      const angles = ['cos', 'sin'].map((name) => graph.input(name, { type: 'f32', dims: [1, 'rows', rotarySize / 2] }));
      const normed = rmsNorm(graph, hidden, { weight: vector(graph, 'norm', inputNorm), epsilon: spec.normEpsilon });
      const turn = (part: string, heads: number): string => {
        const batched = graph.node('Reshape', [part, graph.integers([1, -1, heads * rotarySize])]);
        return graph.node('RotaryEmbedding', [batched, ...angles], { attributes: { num_heads: heads, interleaved: rotaryPairs === 'interleaved' ? 1 : 0 } });
      };
      const split = (part: string, sizes: readonly number[], axis: number): readonly string[] => graph.nodes('Split', [part, graph.integers(sizes)], { outputs: sizes.length, attributes: { axis } });

      const joined = linear(graph, normed, { name: 'down', weight: stack(queryLatent?.down ?? query, keyValueDown), form: model });
      const [first, latent, key] = split(joined, [queryRank ?? headCount * (plainSize + rotarySize), latentRank, rotarySize], 1);
      const normedLatent = rmsNorm(graph, latent!, { weight: vector(graph, 'latentNorm', latentNorm), epsilon: normEpsilon });
      const turnedKey = graph.node('Reshape', [turn(key!, 1), graph.integers([-1, rotarySize])]);
      graph.nodes('Concat', [normedLatent, turnedKey], { outputs: ['latent'], attributes: { axis: 1 } });

      const queries = queryLatent === null ? first! : linear(graph, rmsNorm(graph, first!, { weight: vector(graph, 'queryNorm', queryLatent.norm), epsilon: normEpsilon }), { name: 'query.up', weight: stack(query), form: model });
      const [plain, rotary] = split(graph.node('Reshape', [queries, graph.integers([-1, headCount, plainSize + rotarySize])]), [plainSize, rotarySize], 2);
      const byHead = (part: string): string => graph.node('Transpose', [part], { attributes: { perm: [1, 0, 2] } });
      const absorbed = graph.node('MatMul', [byHead(plain!), headTables(graph, 'keyUp', keyValueUp, { headCount, stride: plainSize + valueSize, first: 0, rows: plainSize })]);
      const turned = graph.node('Reshape', [turn(rotary!, headCount), graph.integers([-1, headCount, rotarySize])]);
      graph.nodes('Concat', [absorbed, byHead(turned)], { outputs: [spec.queryScaling === null ? 'query' : 'unscaled'], attributes: { axis: 2 } });
      if (spec.queryScaling !== null) graph.nodes('Mul', ['unscaled', graph.input('queryScale', { type: 'f32', dims: [1, 'rows', 1] })], { outputs: ['query'] });
      for (const { name, dims } of this.projected) graph.output(name, { type: 'f32', dims });
      return graph.build();
    },

    // The turned keys are summed like the latents, in vain: what is kept is read where it lies.
    among(graph, [query, latent], [past], mask) {
      const latents = graph.node('Concat', [past!, graph.node('Unsqueeze', [latent!, graph.integers([0])])], { attributes: { axis: 1 } });
      const table = graph.node('Squeeze', [latents, graph.integers([0])]);
      // Rows of all heads are one matrix. A length of 0 is that of the input's same axis.
      const products = graph.node('Gemm', [graph.node('Reshape', [query!, graph.integers([-1, keySize])]), table], { attributes: { transB: 1, alpha: { float: scoreFactorOf(shape) } } });
      const scores = graph.node('Reshape', [graph.node('Unsqueeze', [products, graph.integers([0])]), graph.integers([headCount, -1, 0])]);
      const shares = graph.node('Softmax', [graph.node('Add', [scores, mask])], { attributes: { axis: -1 } });
      return { attended: latentPart(graph, graph.node('MatMul', [shares, table])), kept: [latents] };
    },

    amongSingles(graph, [query, latent], [past], mask) {
      const turned = (value: string, perm: readonly number[]): string => graph.node('Transpose', [value], { attributes: { perm } });
      const latents = graph.node('Concat', [past!, graph.node('Unsqueeze', [latent!, graph.integers([1])])], { attributes: { axis: 1 } });
      const queries = graph.node('Mul', [turned(query!, [1, 2, 0]), graph.float(scoreFactorOf(shape))]);
      const scores = turned(graph.node('MatMul', [latents, queries]), [0, 2, 1]);
      const seen = mask === null ? scores : graph.node('Add', [scores, graph.node('Reshape', [mask, graph.integers([0, 1, -1])])]);
      const sums = graph.node('MatMul', [graph.node('Softmax', [seen], { attributes: { axis: -1 } }), latents]);
      return { attended: turned(latentPart(graph, sums), [1, 0, 2]), kept: [latents] };
    },

    after(graph, model, { attention }) {
      const { keyValueUp, output } = weightsOf(attention);
      const attended = graph.input('attended', { type: 'f32', dims: this.attended.dims });
      // [heads, valueSize, latentRank] x [heads, latentRank, rows]
      const turned = graph.node('Transpose', [attended], { attributes: { perm: [0, 2, 1] } });
      const values = graph.node('MatMul', [headTables(graph, 'valueUp', keyValueUp, { headCount, stride: plainSize + valueSize, first: plainSize, rows: valueSize }), turned]);
      const rows = graph.node('Reshape', [graph.node('Transpose', [values], { attributes: { perm: [2, 0, 1] } }), graph.integers([-1, headCount * valueSize])]);
      return linear(graph, rows, { name: 'output', weight: stack(output), form: model });
    },
  };
}

function weightsOf(attention: LayerWeights['attention']): LatentAttentionWeights {
  assert(attention.kind === 'mla', 'the weights of a layer are those of its kind of attention');
  return attention;
}
