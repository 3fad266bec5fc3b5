import { existsSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { describeModel, type CheckpointFolder } from '@essaim/checkpoint';
import { AppError, type ModelDescription } from '@essaim/core';
import { openCheckpointFolder } from '@essaim/files';

/** Of a checkpoint's folder, or of one configuration in it alone. Fails as `describeModel` does, and with `not_found` where there is neither. */
export async function readDescription(path: string): Promise<ModelDescription> {
  const whole = resolve(path);
  if (!existsSync(whole)) throw new AppError('not_found', `${whole} does not exist: name a checkpoint's folder, or its config.json or params.json, with --model`);
  if (!whole.endsWith('.json')) return describeModel(openCheckpointFolder(whole));
  return describeModel(withOnly(openCheckpointFolder(dirname(whole)), basename(whole)));
}

/** A folder that seems to hold the one file, by the name that its layout gives it: x.params.json is a params.json. */
function withOnly(folder: CheckpointFolder, file: string): CheckpointFolder {
  const wanted = file.endsWith('params.json') ? 'params.json' : 'config.json';
  return {
    directory: folder.directory,
    readText: async (name, limit) => (name === wanted ? folder.readText(file, limit) : null),
    has: async (name) => name === wanted && folder.has(file),
    open: async () => null,
    close: () => folder.close(),
  };
}
