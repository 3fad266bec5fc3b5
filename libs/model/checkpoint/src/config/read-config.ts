import { AppError, type ModelSpec } from '@essaim/core';
import { z } from 'zod';
import { damaged } from '../damaged.ts';
import { families } from '../families/families.ts';
import { type Family } from '../families/family.ts';
import { type CheckpointFolder } from '../folder.ts';
import { specialTokenKeys, tokenIdsOf } from './decoder-keys.ts';
import { type JsonFile, parseJson, readJson } from '../json/read-json.ts';

const MAX_CONFIG_BYTES = 1 << 20;

const NO_NAME = 'must name the architecture of the model';
const architectureSchema = z.object({ architectures: z.array(z.string(), NO_NAME).min(1, NO_NAME) }, 'must be an object');
const generationSchema = z.object(specialTokenKeys, 'must be an object');

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

/** What generation_config.json names replaces what config.json names; a key that is absent or null leaves it. */
function withGeneration(spec: ModelSpec, file: JsonFile | null): ModelSpec {
  if (file === null) return spec;
  const generation = parseJson(generationSchema, file);
  return {
    ...spec,
    bosTokenId: generation.bos_token_id ?? spec.bosTokenId,
    eosTokenIds: generation.eos_token_id == null ? spec.eosTokenIds : tokenIdsOf(generation.eos_token_id),
  };
}

function checkSpecialTokens({ vocabSize, bosTokenId, eosTokenIds }: ModelSpec, { path }: JsonFile): void {
  const stray = [...(bosTokenId === null ? [] : [bosTokenId]), ...eosTokenIds].find((id) => id >= vocabSize);
  if (stray !== undefined) throw damaged(path, `vocab_size is ${vocabSize}, but bos_token_id or eos_token_id names token ${stray}`);
}
