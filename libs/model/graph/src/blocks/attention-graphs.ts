import { type LayerWeights } from '@essaim/core';
import { type Graph, type GraphBuilder } from '../graph-builder.ts';
import { type CompiledModel } from '../piece.ts';

/** A tensor that sequences keep per token, and the axis along which it grows. Of several sequences together the first axis has one place for each. */
export interface KeptTensor {
  readonly name: string;
  /** Of one sequence, with 0 for the tokens. */
  readonly dims: readonly number[];
  readonly tokensAxis: number;
}

/** Names of values of a graph. */
export interface Attended {
  /** Rows of what `after` takes. */
  readonly attended: string;
  /** What is kept now. */
  readonly kept: readonly string[];
}

/** What differs between kinds of attention. Rows are those of a step; values named below are inputs and outputs of graphs. */
export interface AttentionGraphs {
  /** What `before` puts out and `among` takes, each with the axis of its rows. */
  readonly projected: readonly { readonly name: string; readonly rowsAxis: number; readonly dims: readonly (number | string)[] }[];
  /** What a sequence keeps of each layer. */
  readonly kept: readonly KeptTensor[];
  /** Axis of the rows in `attended`, and its shape. */
  readonly attended: { readonly rowsAxis: number; readonly dims: readonly (number | string)[] };
  /**
   * hidden [rows, hidden], cos and sin [1, rows, rotarySize / 2] -> `projected`. Of grouped queries also queryCos and querySin, those of queries, times all that scales
   * their scores; of latents, for a model that scales queries, queryScale [1, rows, 1].
   */
  before(model: CompiledModel, layer: LayerWeights): Graph;
  /** One sequence's part: its rows of `projected`, what it kept, and a mask [rows, tokens], 0 where a row sees a token and -Infinity where not. */
  among(graph: GraphBuilder, projected: readonly string[], kept: readonly string[], mask: string): Attended;
  /** The part of sequences that have one row each: these rows, what they kept together, and a mask [rows, tokens], or null where all see all tokens that are kept. */
  amongSingles(graph: GraphBuilder, projected: readonly string[], kept: readonly string[], mask: string | null): Attended;
  /** `attended`, an input of the graph -> [rows, hidden]: what attention adds to the residual stream. */
  after(graph: GraphBuilder, model: CompiledModel, layer: LayerWeights): string;
}
