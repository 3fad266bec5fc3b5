import { createHash } from 'node:crypto';
import { mkdir, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError, type ModelSpec } from '@essaim/core';
import { configOf, tensorsOf } from './model.ts';
import { indexOf, planShards, tensorBytes, writeShard } from './shards.ts';
import { widenTokenizer } from './tokenizer-files.ts';
import { WeightSource } from './weight-source.ts';

export interface SyntheticOptions {
  readonly spec: ModelSpec;
  readonly seed: number;
  /** Checkpoints lie below it, each in a folder whose name follows from what it holds. */
  readonly cacheFolder: string;
  /** A checkpoint folder with a byte-level tokenizer, which the synthetic model takes over. */
  readonly tokenizerFolder: string;
  /** No file has more data, but for a tensor that is larger alone. */
  readonly shardBytes: number;
  readonly onProgress: (doneBytes: number, totalBytes: number) => void;
  readonly signal: AbortSignal;
}

/** What lies on disks already is another checkpoint once the same seed makes other bytes. */
const FORMAT = 1;
/** The checkpoint, and about as much again for what is compiled from it while it is measured. */
const ROOM_FACTOR = 2;

/**
 * The folder of a checkpoint with random weights, written unless it is there. Nobody else may write below `cacheFolder` meanwhile.
 * Fails with `resource_exhausted` when the disk has less than twice its size free.
 */
export async function syntheticCheckpoint(options: SyntheticOptions): Promise<string> {
  const folder = join(options.cacheFolder, `synthetic-${identityOf(options)}`);
  if (await stat(folder).catch(() => null)) return folder;
  const unfinished = `${folder}.part`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  try {
    await writeFiles(unfinished, options);
    await rename(unfinished, folder);
  } catch (thrown) {
    await rm(unfinished, { recursive: true, force: true });
    throw isFullDisk(thrown) ? new AppError('resource_exhausted', `the disk of ${options.cacheFolder} is full: free some space or give --state-dir a larger disk`, { cause: thrown }) : thrown;
  }
  return folder;
}

async function writeFiles(folder: string, { spec, seed, tokenizerFolder, shardBytes, onProgress, signal }: SyntheticOptions): Promise<void> {
  const tensors = tensorsOf(spec);
  const totalBytes = tensors.reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
  await checkRoom(folder, ROOM_FACTOR * totalBytes);
  const writeJson = (file: string, content: object): Promise<void> => writeFile(join(folder, file), JSON.stringify(content));
  const { tokenizer, tokenizerConfig } = await widenTokenizer(tokenizerFolder, spec);
  await writeJson('config.json', configOf(spec));
  await writeJson('tokenizer.json', tokenizer);
  await writeJson('tokenizer_config.json', tokenizerConfig);
  const shards = planShards(tensors, shardBytes);
  await writeJson('model.safetensors.index.json', indexOf(shards));
  const source = new WeightSource(seed);
  let doneBytes = 0;
  const onBytes = (bytes: number): void => onProgress((doneBytes += bytes), totalBytes);
  for (const shard of shards) await writeShard(shard, { folder, source, onBytes, signal });
}

/** Fails with `resource_exhausted` when the disk under `folder` has less than `neededBytes` free. */
export async function checkRoom(folder: string, neededBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const freeBytes = bavail * bsize;
  if (freeBytes >= neededBytes) return;
  const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
  throw new AppError('resource_exhausted', `the disk of ${dirname(folder)} has ${gigabytes(freeBytes)} free and the synthetic checkpoint needs ${gigabytes(neededBytes)}, compiled weights included: free some space, give --state-dir a larger disk, or measure --model built-in alone`);
}

const identityOf = ({ spec, seed, shardBytes }: SyntheticOptions): string =>
  createHash('sha256').update(JSON.stringify({ FORMAT, config: configOf(spec), seed, shardBytes })).digest('hex').slice(0, 12);

const isFullDisk = (thrown: unknown): boolean => (thrown as NodeJS.ErrnoException).code === 'ENOSPC';
