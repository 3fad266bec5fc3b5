import { createHash } from 'node:crypto';
import { assert, type LayerWeights } from '@essaim/core';
import { type Slice } from '@essaim/quantise';
import { embedGraph } from './blocks/embed.ts';
import { gqaGraph, gqaOutputGraph, gqaPreGraph } from './blocks/gqa.ts';
import { headGraph } from './blocks/head.ts';
import { denseGraph, expertGraph } from './blocks/feed-forward.ts';
import { postGraph } from './blocks/post.ts';
import { type Graph } from './graph-builder.ts';
import { groupedQueryOf } from './grouped-query.ts';
import { type CompiledModel, type PieceKey, sliceCount } from './piece.ts';

/** Raised when the bytes that a weight becomes change without its graph changing. */
const RECIPE = 1;

/** The graphs of one piece, one per slice. Nothing of the weights is read yet: their chunks are. Fails with `unimplemented` for a model that no graphs compute. */
export function compilePiece(model: CompiledModel, key: PieceKey): Graph[] {
  groupedQueryOf(model.spec);
  const of = sliceCount(key, model.slices ?? 1);
  return Array.from({ length: of }, (_, index) => compileSlice(model, key, { index, of }));
}

/** Of a pre-norm decoder with grouped-query attention; its feed-forward layers are dense or routed. */
function compileSlice(model: CompiledModel, key: PieceKey, slice: Slice): Graph {
  switch (key.kind) {
    case 'embed':
      return embedGraph(model.weights.embedding);
    case 'pre':
      return gqaPreGraph(model, layerOf(model, key.layer), slice);
    case 'attention':
      return gqaGraph(groupedQueryOf(model.spec), key, slice);
    case 'output':
      return gqaOutputGraph(model, layerOf(model, key.layer), slice);
    case 'post':
      return postGraph(model, layerOf(model, key.layer));
    case 'dense':
      return denseGraph(model, layerOf(model, key.layer), slice);
    case 'expert':
      return expertGraph(model, layerOf(model, key.layer), { expert: key.expert, slice });
    case 'head':
      return headGraph(model, slice);
  }
}

/** Of all slices of a piece. */
export const weightBytesOf = (graphs: readonly Graph[]): number => graphs.reduce((sum, { weightBytes }) => sum + weightBytes, 0);

function layerOf({ weights }: CompiledModel, layer: number): LayerWeights {
  const found = weights.layers[layer];
  assert(found, `the model has a layer ${layer}`);
  return found;
}

/** Content address of a compiled graph, lower-case hex: the same graph over the same weights has the same, wherever the checkpoint lies. */
export async function graphDigest({ model, weights }: Graph): Promise<string> {
  const hash = createHash('sha256').update(`recipe ${RECIPE}\n`).update(model);
  for (const { sources } of weights) {
    for (const source of sources) hash.update(`${await source.fingerprint()}\n`);
  }
  return hash.digest('hex');
}
