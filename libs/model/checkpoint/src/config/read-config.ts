import { AppError, type ModelSpec } from '@essaim/core';
import { z } from 'zod';
import { families } from '../families/families.ts';
import { type Family } from '../families/family.ts';
import { type CheckpointFolder } from '../folder.ts';
import { type JsonFile, parseJson, readJson } from '../json/read-json.ts';
import { checkSpecialTokens, withGeneration } from './special-tokens.ts';

const MAX_CONFIG_BYTES = 1 << 20;

const NO_NAME = 'must name the architecture of the model';
const architectureSchema = z.object({ architectures: z.array(z.string(), NO_NAME).min(1, NO_NAME) }, 'must be an object');

/** config.json through the family that its architecture names, with the special tokens of generation_config.json over it. */
export async function readConfig(folder: CheckpointFolder): Promise<{ readonly spec: ModelSpec; readonly family: Family }> {
  const config = await readJson(folder, 'config.json', { maxBytes: MAX_CONFIG_BYTES });
  if (config === null) {
    throw new AppError('not_found', `${folder.directory} has no config.json: name the folder of a Hugging Face checkpoint`);
  }
  const family = familyOf(config);
  const generation = await readJson(folder, 'generation_config.json', { maxBytes: MAX_CONFIG_BYTES });
  const spec = withGeneration(family.readSpec(config), generation);
  checkSpecialTokens(spec, config);
  return { family, spec };
}

function familyOf(config: JsonFile): Family {
  const [architecture] = parseJson(architectureSchema, config).architectures;
  const family = families.find((candidate) => candidate.architecture === architecture);
  if (family !== undefined) return family;
  const supported = families.map((candidate) => candidate.architecture).join(', ');
  throw new AppError('unimplemented', `${config.path}: the architecture ${architecture} is not implemented: the architectures are ${supported}`);
}
