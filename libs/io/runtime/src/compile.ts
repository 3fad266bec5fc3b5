import { compilePiece, type CompiledModel, graphDigest, type PieceKey, weightBytesOf } from '@essaim/graph';
import { type GraphCache } from './graph-cache.ts';
import { type PieceFile } from './piece-file.ts';

export interface CompileProgress {
  /** Told of weight bytes as they are written or found done. */
  readonly onBytes: (bytes: number) => void;
}

/** The piece's files: found in the cache or compiled into it. The digest covers graph, form and weights, so a found one is right. */
export async function compileIntoCache(model: CompiledModel, key: PieceKey, cache: GraphCache, { onBytes }: CompileProgress): Promise<PieceFile> {
  const graphs = compilePiece(model, key);
  const modelFiles: string[] = [];
  for (const graph of graphs) {
    const digest = await graphDigest(graph);
    if (cache.has(digest)) onBytes(graph.weightBytes);
    else await cache.write(digest, graph, onBytes);
    modelFiles.push(cache.modelFile(digest));
  }
  return { key, modelFiles, weightBytes: weightBytesOf(graphs) };
}
