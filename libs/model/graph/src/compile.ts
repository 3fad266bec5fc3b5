import { createHash } from 'node:crypto';
import { assert, type LayerWeights, type ModelSpec } from '@essaim/core';
import { embedGraph } from './blocks/embed.ts';
import { gqaGraph, gqaPreGraph } from './blocks/gqa.ts';
import { headGraph } from './blocks/head.ts';
import { expertGraph, postGraph } from './blocks/post.ts';
import { type Graph } from './graph-builder.ts';
import { type CompiledModel, type PieceKey } from './piece.ts';

/** Raised when the bytes that a weight becomes change without its graph changing. */
const RECIPE = 1;

/** The graph of one piece. Nothing of the weights is read yet: their chunks are. */
export type PieceCompiler = (model: CompiledModel, key: PieceKey) => Graph;

/** One entry per family. A family whose layers differ has a folder of its own blocks and a compiler of its own here. */
const COMPILERS: Readonly<Record<ModelSpec['family'], PieceCompiler>> = { mixtral: compileDecoder, mistral: compileDecoder };

export const compilePiece: PieceCompiler = (model, key) => COMPILERS[model.spec.family](model, key);

/** Pre-norm decoder with grouped-query attention; its feed-forward layers are dense or routed. */
function compileDecoder(model: CompiledModel, key: PieceKey): Graph {
  switch (key.kind) {
    case 'embed':
      return embedGraph(model.weights.embedding);
    case 'pre':
      return gqaPreGraph(model, layerOf(model, key.layer));
    case 'attention':
      return gqaGraph(model.spec.attention, key);
    case 'post':
      return postGraph(model, layerOf(model, key.layer));
    case 'expert':
      return expertGraph(model, layerOf(model, key.layer), key.expert);
    case 'head':
      return headGraph(model);
  }
}

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
