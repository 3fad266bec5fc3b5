import { AppError } from '@essaim/core';
import { z } from 'zod';
import { damaged } from '../damaged.ts';
import { type CheckpointFile, type CheckpointFolder } from '../folder.ts';
import { parseJson, readJson } from '../json/read-json.ts';
import { openSafetensors, type StoredTensor } from './open-file.ts';

/** An entry takes about 120 bytes; the largest models have some 100,000. */
const MAX_INDEX_BYTES = 64 << 20;

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string('must be the name of a file'), 'must map tensors to files') }, 'must be an object');

export interface WeightFiles {
  readonly single: string;
  readonly index: string;
}

/** Every tensor of the checkpoint by name, from its one file or from the shards that its index names. */
export async function openTensors(folder: CheckpointFolder, files: WeightFiles): Promise<ReadonlyMap<string, StoredTensor>> {
  const single = await folder.open(files.single);
  if (single !== null) return readTensors(folder, single);
  const index = await readJson(folder, files.index, { maxBytes: MAX_INDEX_BYTES });
  if (index === null) {
    throw new AppError('not_found', `${folder.directory} has neither ${files.single} nor ${files.index}: download the checkpoint's safetensors files`);
  }
  return openShards(folder, files.index, new Map(Object.entries(parseJson(indexSchema, index).weight_map)));
}

/** The index decides which shard a tensor is read from; what else lies in the shards is not seen. */
async function openShards(folder: CheckpointFolder, index: string, shardOf: ReadonlyMap<string, string>): Promise<Map<string, StoredTensor>> {
  const shards = new Map<string, ReadonlyMap<string, StoredTensor>>();
  for (const name of new Set(shardOf.values())) shards.set(name, await openShard(folder, index, name));
  return new Map([...shardOf].map(([tensor, shard]) => {
    const stored = shards.get(shard)!.get(tensor);
    if (stored === undefined) throw damaged(`${folder.directory}/${shard}`, `tensor ${tensor} is not in it, although ${index} says so`);
    return [tensor, stored];
  }));
}

async function openShard(folder: CheckpointFolder, index: string, name: string): Promise<Map<string, StoredTensor>> {
  const file = await folder.open(name);
  if (file === null) throw new AppError('data_loss', `${folder.directory} has no ${name}, which ${index} names: download it`);
  return readTensors(folder, file);
}

async function readTensors(folder: CheckpointFolder, file: CheckpointFile): Promise<Map<string, StoredTensor>> {
  const tensors = await openSafetensors(file, `${folder.directory}/${file.name}`);
  return new Map(tensors.map((tensor) => [tensor.name, tensor]));
}
