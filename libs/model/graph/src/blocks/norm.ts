import { type GraphBuilder } from '../graph-builder.ts';

/** Root mean square normalisation with a weight per channel; ONNX Runtime knows it by this name. */
export function rmsNorm(graph: GraphBuilder, x: string, { weight, epsilon }: { readonly weight: string; readonly epsilon: number }): string {
  return graph.node('SimplifiedLayerNormalization', [x, weight], { attributes: { axis: -1, epsilon: { float: epsilon }, stash_type: 1 } });
}
