import { readModelSpec } from '@essaim/checkpoint';
import { AppError, type ModelSpec } from '@essaim/core';
import { openCheckpointFolder } from '@essaim/files';
import { type ChatTemplate, createChatTemplate, createTokenizer, type Tokenizer } from '@essaim/tokenizer';

/** The model as its clients see it. */
export interface ServedModel {
  readonly id: string;
  readonly spec: ModelSpec;
  readonly tokenizer: Tokenizer;
  readonly chatTemplate: ChatTemplate;
  /** What an empty prompt means: the beginning of a text. Null where the model has no token for it. */
  readonly bosTokenId: number | null;
  /** Unix time in seconds, for lists of models. */
  readonly loadedAt: number;
}

/** The largest tokenizer.json of a known model has 33 MB. */
const FILE_BYTES = 128 << 20;

interface LoadOptions {
  readonly id: string;
  readonly now: Date;
}

/** Reads everything but the weights. Fails with `failed_precondition` or `data_loss` when a file is missing, broken or of another model. */
export async function loadServedModel(directory: string, { id, now }: LoadOptions): Promise<ServedModel> {
  const folder = openCheckpointFolder(directory);
  try {
    const text = (name: string): Promise<string | null> => folder.readText(name, { maxBytes: FILE_BYTES });
    const json = async (name: string): Promise<object | null> => parseJson(await text(name), `${name} in ${directory}`);
    const spec = await readModelSpec(folder);
    const tokenizerJson = await json('tokenizer.json');
    if (tokenizerJson === null) throw new AppError('failed_precondition', `${directory} has no tokenizer.json: use a checkpoint in Hugging Face's layout`);
    const tokenizerConfig = await json('tokenizer_config.json');
    const tokenizer = createTokenizer({ tokenizer: tokenizerJson, tokenizerConfig });
    if (tokenizer.vocabSize > spec.vocabSize) {
      throw new AppError('failed_precondition', `tokenizer.json in ${directory} has ${tokenizer.vocabSize} tokens and the model's vocabulary ${spec.vocabSize}: they belong to different models`);
    }
    const names = { bosToken: tokenizer.bosToken?.text ?? null, eosToken: tokenizer.eosToken?.text ?? null };
    const chatTemplate = createChatTemplate({ ...names, tokenizerConfig, templateFile: await text('chat_template.jinja') });
    return { id, spec, tokenizer, chatTemplate, bosTokenId: spec.bosTokenId ?? tokenizer.bosToken?.id ?? null, loadedAt: Math.floor(now.getTime() / 1_000) };
  } finally {
    await folder.close();
  }
}

function parseJson(text: string | null, file: string): object | null {
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch (cause) {
    throw new AppError('failed_precondition', `${file} is not valid JSON: download it again`, { cause });
  }
  throw new AppError('failed_precondition', `${file} is not a JSON object: download it again`);
}
