import { AppError } from '@essaim/core';
import { type CheckpointFolder } from '../folder.ts';
import { huggingFace } from './hugging-face.ts';
import { type Layout } from './layout.ts';
import { mistralLayout } from './mistral.ts';

/** The first one is read where a folder holds both. */
const LAYOUTS = [huggingFace, mistralLayout] as const;

/**
 * The layout of which the folder has both the configuration and weights; without weights, for a look at the configuration alone, that of
 * its configuration. Fails with `not_found` where it has no configuration.
 */
export async function findLayout(folder: CheckpointFolder): Promise<Layout> {
  const found = await Promise.all(LAYOUTS.map(async (layout) => ({ layout, config: await folder.has(layout.configFile), weights: await hasWeights(folder, layout) })));
  const layout = (found.find(({ config, weights }) => config && weights) ?? found.find(({ config }) => config))?.layout;
  if (layout !== undefined) return layout;
  const wanted = LAYOUTS.map(({ name, configFile, weightFiles }) => `${configFile} and ${weightFiles.single} or ${weightFiles.index} (${name})`).join(', or ');
  throw new AppError('not_found', `${folder.directory} holds no checkpoint that Essaim reads: name a folder with ${wanted}`);
}

const hasWeights = async (folder: CheckpointFolder, { weightFiles: { single, index } }: Layout): Promise<boolean> => (await folder.has(single)) || folder.has(index);
