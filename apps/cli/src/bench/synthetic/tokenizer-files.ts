import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type ModelSpec } from '@essaim/core';

const tokenizerSchema = z.looseObject({ model: z.looseObject({ vocab: z.record(z.string(), z.number()) }) });
const configSchema = z.looseObject({});

/** Contents of tokenizer.json and tokenizer_config.json. */
export interface TokenizerContents {
  readonly tokenizer: object;
  readonly tokenizerConfig: object;
}

/** The tokenizer of the model in `folder`, with words of our own behind its last token, so that every id of a larger vocabulary is some text. */
export async function widenTokenizer(folder: string, { vocabSize, contextLength }: ModelSpec): Promise<TokenizerContents> {
  const read = async (file: string): Promise<unknown> => JSON.parse(await readFile(join(folder, file), 'utf8'));
  const tokenizer = tokenizerSchema.parse(await read('tokenizer.json'));
  const config = configSchema.parse(await read('tokenizer_config.json'));
  return {
    tokenizer: { ...tokenizer, model: { ...tokenizer.model, vocab: { ...tokenizer.model.vocab, ...fillers(tokenizer.model.vocab, vocabSize) } } },
    tokenizerConfig: { ...config, model_max_length: contextLength },
  };
}

/** No merge leads to them, so texts are tokenized as before. 'Ġ' is how byte-level vocabularies write a space. */
function fillers(vocab: Readonly<Record<string, number>>, vocabSize: number): Record<string, number> {
  const first = Object.values(vocab).reduce((largest, id) => Math.max(largest, id), -1) + 1;
  const ids = Array.from({ length: Math.max(0, vocabSize - first) }, (_, index) => first + index);
  return Object.fromEntries(ids.map((id) => [`Ġfiller${id}`, id]));
}
