import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { readModelSpec } from '@essaim/checkpoint';
import { type ModelRef, type ModelSpec } from '@essaim/core';
import { openCheckpointFolder } from '@essaim/files';
import { type BenchModelName, upOptions } from './options.ts';
import { type Progress } from './progress.ts';
import { syntheticCheckpoint } from './synthetic/checkpoint.ts';
import { SYNTHETIC_LARGE, SYNTHETIC_MIXTRAL } from './synthetic/model.ts';

/** A model to measure: its files are complete. */
export interface BenchModel {
  readonly name: BenchModelName;
  readonly ref: ModelRef;
  readonly spec: ModelSpec;
}

export interface Preparation {
  readonly cacheFolder: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

const SEED = 1;
const SHARD_BYTES = 1e9;

/** Makes the model's files if need be, and reads them once, so that the first start finds them in memory as every later one does. */
export async function prepareModel(name: BenchModelName, preparation: Preparation): Promise<BenchModel> {
  const builtIn = upOptions({}).model;
  const ref = name === 'built-in' ? builtIn : { ...builtIn, id: 'synthetic', dtype: 'int4' as const, directory: await writeSynthetic(name === 'synthetic' ? SYNTHETIC_MIXTRAL : SYNTHETIC_LARGE, builtIn.directory, preparation) };
  await readOnce(ref.directory, preparation.signal);
  return { name, ref, spec: await specOf(ref.directory) };
}

function writeSynthetic(spec: ModelSpec, tokenizerFolder: string, { cacheFolder, progress, signal }: Preparation): Promise<string> {
  const onProgress = progress.bytes('writing the synthetic checkpoint');
  return syntheticCheckpoint({ spec, seed: SEED, cacheFolder, tokenizerFolder, shardBytes: SHARD_BYTES, onProgress, signal });
}

async function readOnce(directory: string, signal: AbortSignal): Promise<void> {
  for (const file of await readdir(directory)) await finished(createReadStream(join(directory, file), { signal, highWaterMark: 1 << 20 }).resume());
}

async function specOf(directory: string): Promise<ModelSpec> {
  const folder = openCheckpointFolder(directory);
  try {
    return await readModelSpec(folder);
  } finally {
    await folder.close();
  }
}
