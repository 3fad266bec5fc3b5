import { stat } from 'node:fs/promises';
import { openCheckpoint } from '@essaim/checkpoint';
import { AppError, type WeightPrecision } from '@essaim/core';
import { openCheckpointFolder } from '@essaim/files';

/** What `up` knows of a checkpoint before anything is started. */
export interface InspectedModel {
  readonly precision: WeightPrecision;
  /** What of its files is not read, one sentence each. */
  readonly notes: readonly string[];
}

/** Refuses a folder that holds no checkpoint that can be run, with the codes of `openCheckpoint`. Reads no weights; what is inside the tensors is the workers' to judge. */
export async function inspectModel(directory: string): Promise<InspectedModel> {
  const folder = await stat(directory).catch(() => null);
  if (!folder) throw new AppError('not_found', `the model folder ${directory} does not exist: give --model the folder of a checkpoint`);
  if (!folder.isDirectory()) throw new AppError('not_found', `${directory} is not a folder: give --model the folder that holds config.json or params.json`);
  const { precision, notes, close } = await openCheckpoint(openCheckpointFolder(directory));
  await close();
  return { precision, notes };
}
