import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, assert } from '@essaim/core';
import { type Graph, type PlacedWeight, WEIGHTS_FILE } from '@essaim/graph';

const MODEL_FILE = 'model.onnx';
const UNFINISHED = '.part';
/** Nobody writes that slowly: what was not touched for so long belongs to a process that is gone. */
const ABANDONED_MS = 3_600_000;

/** Compiled graphs on disk by their digest, one folder each. Several processes may share it: a folder appears whole or not at all. */
export class GraphCache {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The model file of a digest; it exists once `has` says so. */
  modelFile(digest: string): string {
    assert(/^[0-9a-f]{64}$/.test(digest), 'a digest is a SHA-256');
    return join(this.#folder, digest, MODEL_FILE);
  }

  has(digest: string): boolean {
    return existsSync(this.modelFile(digest));
  }

  /** Writes a graph with its weights. Fails with `resource_exhausted` where the disk is full, `failed_precondition` where the folder can't be written, `data_loss` where a graph of this digest lies there incomplete. */
  async write(digest: string, graph: Graph, onBytes: (bytes: number) => void): Promise<void> {
    const temporary = join(this.#folder, `${digest}.${randomBytes(6).toString('hex')}${UNFINISHED}`);
    try {
      await mkdir(temporary, { recursive: true, mode: 0o700 });
      await writeWeights(join(temporary, WEIGHTS_FILE), graph.weights, onBytes);
      await writeFile(join(temporary, MODEL_FILE), graph.model);
      await rename(temporary, join(this.#folder, digest));
    } catch (cause) {
      // Why it failed counts, not that there is nothing to take away.
      await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
      // Another process was faster with the same content.
      if (!this.has(digest)) throw writeError(cause);
    }
  }

  /** Removes what processes that ended while they wrote have left. What can't be removed now can be later. */
  async removeAbandoned(now: Date): Promise<void> {
    const entries = await readdir(this.#folder).catch(() => []);
    for (const entry of entries.filter((name) => name.endsWith(UNFINISHED))) {
      const folder = join(this.#folder, entry);
      const touched = await stat(join(folder, WEIGHTS_FILE)).catch(() => stat(folder)).catch(() => null);
      if (touched !== null && now.getTime() - touched.mtimeMs > ABANDONED_MS) await rm(folder, { recursive: true, force: true }).catch(() => undefined);
    }
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

function writeError(cause: unknown): AppError {
  const { code } = cause as NodeJS.ErrnoException;
  if (cause instanceof AppError || code === undefined) return AppError.from(cause);
  if (code === 'ENOSPC') return new AppError('resource_exhausted', 'the disk of the state folder is full: free some space or give --state-dir a larger disk', { cause });
  // A folder of the digest is there, but not with its model: no writer leaves one like that.
  if (code === 'ENOTEMPTY') return new AppError('data_loss', 'a compiled graph in the cache lost a file: delete the cache folder in the state folder and start again', { cause });
  return new AppError('failed_precondition', `the folder of compiled graphs can't be written (${code}): give --state-dir a folder that this user may write to`, { cause });
}
