import { createHash } from 'node:crypto';
import { assert, type LayerWeights } from '@essaim/core';
import { attentionOf } from './blocks/attention.ts';
import { denseGraph, expertGraph } from './blocks/feed-forward.ts';
import { embedGraph } from './blocks/embed.ts';
import { headGraph } from './blocks/head.ts';
import { postGraph } from './blocks/post.ts';
import { type Graph } from './graph-builder.ts';
import { type CompiledModel, type PieceKey } from './piece.ts';

/** Raised when the bytes that a weight becomes change without its graph changing. */
const RECIPE = 1;

/** The graphs of one piece: of a layer what comes before attention and what comes after it, of others one. Nothing of the weights is read yet: their chunks are. */
export function compilePiece(model: CompiledModel, key: PieceKey): Graph[] {
  switch (key.kind) {
    case 'embed':
      return [embedGraph(model.weights.embedding)];
    case 'layer': {
      const layer = layerOf(model, key.layer);
      return [attentionOf(model.spec).before(model, layer), postGraph(model, layer)];
    }
    case 'dense':
      return [denseGraph(model, layerOf(model, key.layer))];
    case 'expert':
      return [expertGraph(model, layerOf(model, key.layer), key.expert)];
    case 'head':
      return [headGraph(model)];
  }
}

/** Of all graphs of a piece. */
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
