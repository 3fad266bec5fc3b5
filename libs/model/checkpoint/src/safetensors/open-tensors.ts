import { AppError } from '@essaim/core';
import { z } from 'zod';
import { damaged } from '../damaged.ts';
import { type CheckpointFile, type CheckpointFolder } from '../folder.ts';
import { parseJson, readJson } from '../json/read-json.ts';
import { openSafetensors, type StoredTensor } from './open-file.ts';

const SINGLE_FILE = 'model.safetensors';
const INDEX_FILE = 'model.safetensors.index.json';
/** An entry takes about 120 bytes; the largest models have some 100,000. */
const MAX_INDEX_BYTES = 64 << 20;

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string('must be the name of a file'), 'must map tensors to files') }, 'must be an object');

/** Every tensor of the checkpoint by name, from its one file or from the shards that its index names. */
export async function openTensors(folder: CheckpointFolder): Promise<ReadonlyMap<string, StoredTensor>> {
  const single = await folder.open(SINGLE_FILE);
  if (single !== null) return readTensors(folder, single);
  const index = await readJson(folder, INDEX_FILE, { maxBytes: MAX_INDEX_BYTES });
  if (index === null) {
    throw new AppError('not_found', `${folder.directory} has neither ${SINGLE_FILE} nor ${INDEX_FILE}: download the checkpoint's safetensors files`);
  }
  return openShards(folder, new Map(Object.entries(parseJson(indexSchema, index).weight_map)));
}

/** The index decides which shard a tensor is read from; what else lies in the shards is not seen. */
async function openShards(folder: CheckpointFolder, shardOf: ReadonlyMap<string, string>): Promise<Map<string, StoredTensor>> {
  const shards = new Map<string, ReadonlyMap<string, StoredTensor>>();
  for (const name of new Set(shardOf.values())) shards.set(name, await openShard(folder, name));
  return new Map([...shardOf].map(([tensor, shard]) => {
    const stored = shards.get(shard)!.get(tensor);
    if (stored === undefined) throw damaged(`${folder.directory}/${shard}`, `tensor ${tensor} is not in it, although ${INDEX_FILE} says so`);
    return [tensor, stored];
  }));
}

async function openShard(folder: CheckpointFolder, name: string): Promise<Map<string, StoredTensor>> {
  const file = await folder.open(name);
  if (file === null) throw new AppError('data_loss', `${folder.directory} has no ${name}, which ${INDEX_FILE} names: download it`);
  return readTensors(folder, file);
}

async function readTensors(folder: CheckpointFolder, file: CheckpointFile): Promise<Map<string, StoredTensor>> {
  const tensors = await openSafetensors(file, `${folder.directory}/${file.name}`);
  return new Map(tensors.map((tensor) => [tensor.name, tensor]));
}
