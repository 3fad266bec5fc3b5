import { readModelSpec } from '@essaim/checkpoint';
import { AppError, type ModelSpec } from '@essaim/core';
import { openCheckpointFolder } from '@essaim/files';
import { type ChatTemplate, readTextModel, type Tokenizer } from '@essaim/tokenizer';

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

interface LoadOptions {
  readonly id: string;
  readonly now: Date;
}

/** Reads everything but the weights. Fails with `failed_precondition` or `data_loss` when a file is missing, broken or of another model. */
export async function loadServedModel(directory: string, { id, now }: LoadOptions): Promise<ServedModel> {
  const folder = openCheckpointFolder(directory);
  try {
    const spec = await readModelSpec(folder);
    const { tokenizer, chatTemplate, file } = await readTextModel(folder);
    if (tokenizer.vocabSize > spec.vocabSize) {
      throw new AppError('failed_precondition', `${file} in ${directory} has ${tokenizer.vocabSize} tokens and the model's vocabulary ${spec.vocabSize}: they belong to different models`);
    }
    return { id, spec, tokenizer, chatTemplate, bosTokenId: spec.bosTokenId ?? tokenizer.bosToken?.id ?? null, loadedAt: Math.floor(now.getTime() / 1_000) };
  } finally {
    await folder.close();
  }
}
