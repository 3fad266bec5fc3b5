import { AppError, type ModelDescription } from '@essaim/core';
import { type DescribedModel } from './config/described-model.ts';
import { checkSpecialTokens, withGeneration } from './config/special-tokens.ts';
import { type CheckpointFolder } from './folder.ts';
import { readJson } from './json/read-json.ts';
import { findLayout } from './layouts/find-layout.ts';
import { type Layout } from './layouts/layout.ts';

const MAX_CONFIG_BYTES = 1 << 20;

export interface ReadConfig extends DescribedModel {
  readonly layout: Layout;
  /** Of the configuration, for messages. */
  readonly path: string;
}

/** The configuration in the folder's layout, with the special tokens of generation_config.json over it. */
export async function readConfig(folder: CheckpointFolder): Promise<ReadConfig> {
  const layout = await findLayout(folder);
  const config = await readJson(folder, layout.configFile, { maxBytes: MAX_CONFIG_BYTES });
  if (config === null) throw new AppError('not_found', `${folder.directory} has no ${layout.configFile} any more: download it again`);
  const generation = await readJson(folder, 'generation_config.json', { maxBytes: MAX_CONFIG_BYTES });
  const { description, stored } = layout.describe(config);
  const complete: ModelDescription = withGeneration(description, generation);
  checkSpecialTokens(complete, config);
  return { layout, path: config.path, description: complete, stored };
}
