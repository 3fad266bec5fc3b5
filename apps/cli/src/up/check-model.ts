import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '@essaim/core';

/** Refuses a folder that can't be a checkpoint before anything is started. What is inside the tensors is the workers' to judge. */
export async function checkModelFolder(directory: string): Promise<void> {
  const folder = await stat(directory).catch(() => null);
  if (!folder) throw new AppError('not_found', `the model folder ${directory} does not exist: give --model the folder of a checkpoint`);
  if (!folder.isDirectory()) throw new AppError('not_found', `${directory} is not a folder: give --model the folder that holds config.json`);
  const file = join(directory, 'config.json');
  const config = await readFile(file, 'utf8').catch(() => null);
  if (config === null) throw new AppError('not_found', `${directory} has no readable config.json: give --model a checkpoint folder in Hugging Face format`);
  try {
    JSON.parse(config);
  } catch (cause) {
    throw new AppError('data_loss', `${file} is not valid JSON: download the checkpoint again`, { cause });
  }
}
