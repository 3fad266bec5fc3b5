import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assert } from '@essaim/core';
import { layoutOf, packPiece, panelDigest, type PanelModel, type PanelPiece } from '@essaim/panels';
import { type CompiledCache } from '@essaim/files';
import { panelPacker } from './panel-packer.ts';

const WEIGHTS_FILE = 'weights';

export interface PackProgress {
  /** Told of bytes as they are written or found done. */
  readonly onBytes: (bytes: number) => void;
}

/** A piece on disk: its bytes as `layoutOf` places them, and nothing else. */
export interface PanelFile {
  readonly piece: PanelPiece;
  readonly file: string;
  readonly bytes: number;
}

/** The piece's file where the cache has it. The digest covers layout and weights, so a found one is right. Fails as reading the checkpoint does. */
export async function findInCache(model: PanelModel, piece: PanelPiece, cache: CompiledCache): Promise<PanelFile | null> {
  const digest = await panelDigest(model, piece);
  return cache.holds(digest, WEIGHTS_FILE) ? { piece, file: cache.path(digest, WEIGHTS_FILE), bytes: layoutOf(model, piece).bytes } : null;
}

/** The piece's file: found in the cache or packed into it. Fails as reading the checkpoint and `CompiledCache.put` do. */
export async function packIntoCache(model: PanelModel, piece: PanelPiece, cache: CompiledCache, { onBytes }: PackProgress): Promise<PanelFile> {
  const { bytes } = layoutOf(model, piece);
  const digest = await panelDigest(model, piece);
  const file = cache.path(digest, WEIGHTS_FILE);
  if (cache.holds(digest, WEIGHTS_FILE)) onBytes(bytes);
  else {
    const weights = counted(packPiece(model, piece, (await panelPacker()).interleave), { bytes, onBytes });
    await cache.put(digest, { file: WEIGHTS_FILE, fill: (folder) => writeFile(join(folder, WEIGHTS_FILE), weights, { flag: 'wx', mode: 0o600 }) });
  }
  return { piece, file, bytes };
}

/** The chunks, told of as each is written. */
async function* counted(chunks: AsyncIterable<Uint8Array>, { bytes, onBytes }: PackProgress & { readonly bytes: number }): AsyncGenerator<Uint8Array> {
  let written = 0;
  for await (const chunk of chunks) {
    yield chunk;
    written += chunk.byteLength;
    onBytes(chunk.byteLength);
  }
  assert(written === bytes, 'a piece has the bytes that its layout promised');
}
