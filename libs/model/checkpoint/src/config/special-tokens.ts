import { type ModelDescription } from '@essaim/core';
import { z } from 'zod';
import { damaged } from '../damaged.ts';
import { type JsonFile, parseJson } from '../json/read-json.ts';
import { tokenId, tokenIds } from './values.ts';

type SpecialTokens = Pick<ModelDescription, 'bosTokenId' | 'eosTokenIds'>;

/** Keys that config.json and generation_config.json share. */
export const specialTokenKeys = { bos_token_id: tokenId.nullish(), eos_token_id: tokenIds.nullish() };

const generationSchema = z.object(specialTokenKeys, 'must be an object');

export function specialTokens({ bos_token_id: bos, eos_token_id: eos }: z.output<typeof generationSchema>): SpecialTokens {
  return { bosTokenId: bos ?? null, eosTokenIds: [eos ?? []].flat() };
}

/** What generation_config.json names replaces what config.json names; a key that is absent or null leaves it. */
export function withGeneration(description: ModelDescription, file: JsonFile | null): ModelDescription {
  if (file === null) return description;
  const { bosTokenId, eosTokenIds } = specialTokens(parseJson(generationSchema, file));
  return { ...description, bosTokenId: bosTokenId ?? description.bosTokenId, eosTokenIds: eosTokenIds.length === 0 ? description.eosTokenIds : eosTokenIds };
}

export function checkSpecialTokens({ vocabSize, bosTokenId, eosTokenIds }: ModelDescription, { path }: JsonFile): void {
  const stray = [bosTokenId ?? 0, ...eosTokenIds].find((id) => id >= vocabSize);
  if (stray !== undefined) throw damaged(path, `vocab_size is ${vocabSize}, but bos_token_id or eos_token_id names token ${stray}`);
}
