import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assert } from '@essaim/core';
import { type Graph, type PlacedWeight, WEIGHTS_FILE } from '@essaim/graph';
import { CompiledCache } from '@essaim/files';

const MODEL_FILE = 'model.onnx';

/** Compiled graphs on disk, each with its weights beside it. */
export class GraphCache extends CompiledCache {
  /** The model file of a digest; it exists once `has` says so. */
  modelFile(digest: string): string {
    return this.path(digest, MODEL_FILE);
  }

  has(digest: string): boolean {
    return this.holds(digest, MODEL_FILE);
  }

  /** Writes a graph with its weights; fails as `put` does. */
  write(digest: string, graph: Graph, onBytes: (bytes: number) => void): Promise<void> {
    return this.put(digest, {
      file: MODEL_FILE,
      fill: async (folder) => {
        await writeWeights(join(folder, WEIGHTS_FILE), graph.weights, onBytes);
        await writeFile(join(folder, MODEL_FILE), graph.model);
      },
    });
  }
}

async function writeWeights(file: string, weights: readonly PlacedWeight[], onBytes: (bytes: number) => void): Promise<void> {
  await using handle = await open(file, 'wx', 0o600);
  for (const weight of weights) {
    let position = weight.offset;
    for await (const chunk of weight.chunks()) {
      // The system may write less than asked for.
      for (const end = position + chunk.byteLength; position < end; ) {
        const rest = end - position;
        position += (await handle.write(chunk, chunk.byteLength - rest, rest, position)).bytesWritten;
      }
      onBytes(chunk.byteLength);
    }
    assert(position === weight.offset + weight.byteLength, 'a weight has the bytes that it promised');
  }
}
