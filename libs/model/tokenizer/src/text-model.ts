import { AppError } from '@essaim/core';
import { type ChatTemplate } from './chat-template.ts';
import { createChatTemplate } from './hugging-face/chat-template.ts';
import { createTokenizer } from './hugging-face/tokenizer.ts';
import { type InstructVersion } from './mistral/instruct-format.ts';
import { createInstructTemplate } from './mistral/instruct-template.ts';
import { parseSentencePieceFile } from './mistral/sentence-piece-file.ts';
import { createSentencePieceTokenizer } from './mistral/sentence-piece.ts';
import { parseTekkenFile } from './mistral/tekken-file.ts';
import { createTekkenTokenizer } from './mistral/tekken.ts';
import { type Tokenizer } from './tokenizer.ts';

/** The port through which the files of a checkpoint are read; a checkpoint's folder is one. */
export interface TextFolder {
  /** For messages. */
  readonly directory: string;
  /** A whole UTF-8 file; null where it does not exist. */
  readText(name: string, limit: { readonly maxBytes: number }): Promise<string | null>;
  /** A file to read by byte range; null where it does not exist. */
  open(name: string): Promise<{ readonly sizeBytes: number; read(offset: number, length: number): Promise<Uint8Array> } | null>;
}

/** What a checkpoint says of text. */
export interface TextModel {
  readonly tokenizer: Tokenizer;
  readonly chatTemplate: ChatTemplate;
  /** The file that it was read from. */
  readonly file: string;
}

/** The largest tokenizer.json of a known model has 33 MB. */
const FILE_BYTES = 128 << 20;
/** Names that say a version, the newest first; the mN at the end is about images. */
const SENTENCE_PIECE_FILES: readonly (readonly [name: string, version: InstructVersion])[] = [
  ['tokenizer.model.v7m1', 'v7'], ['tokenizer.model.v7', 'v7'], ['tokenizer.model.v3', 'v3'], ['tokenizer.model.v2', 'v2'], ['tokenizer.model.v1', 'v1'],
];

/**
 * Mistral's own file wins over Hugging Face's conversion of it: tekken.json, a tokenizer.model with a version, tokenizer.json, and then a
 * tokenizer.model without one, which stands beside a tokenizer.json in many a model that is not Mistral's. Fails with
 * `failed_precondition` where there is none of them, or it is none that this version reads.
 */
export async function readTextModel(folder: TextFolder): Promise<TextModel> {
  const model = (await readTekken(folder)) ?? (await readVersioned(folder)) ?? (await readHuggingFace(folder)) ?? (await readUnversioned(folder));
  if (model !== null) return model;
  throw new AppError('failed_precondition', `${folder.directory} has no tokenizer.json, tekken.json or tokenizer.model: add the one that its model was published with`);
}

async function readTekken(folder: TextFolder): Promise<TextModel | null> {
  const content = await readJson(folder, 'tekken.json');
  if (content === null) return null;
  const file = parseTekkenFile(content);
  const tokenizer = createTekkenTokenizer(file);
  return { tokenizer, chatTemplate: createInstructTemplate({ ...file, tokenizer }), file: 'tekken.json' };
}

async function readVersioned(folder: TextFolder): Promise<TextModel | null> {
  for (const [name, version] of SENTENCE_PIECE_FILES) {
    const model = await readSentencePiece(folder, name, () => version);
    if (model !== null) return model;
  }
  return null;
}

/** v2 and v3 differ in nothing that such a file says; most of these models are of v3. */
const readUnversioned = (folder: TextFolder): Promise<TextModel | null> =>
  readSentencePiece(folder, 'tokenizer.model', (tokenizer) => (tokenizer.specialToken('[SYSTEM_PROMPT]') ? 'v7' : tokenizer.specialToken('[INST]') ? 'v3' : 'v1'));

async function readSentencePiece(folder: TextFolder, name: string, versionOf: (tokenizer: Tokenizer) => InstructVersion): Promise<TextModel | null> {
  const file = await folder.open(name);
  if (file === null) return null;
  if (file.sizeBytes > FILE_BYTES) throw new AppError('failed_precondition', `${name} in ${folder.directory} has ${file.sizeBytes} bytes, which no tokenizer has: download it again`);
  const tokenizer = createSentencePieceTokenizer(parseSentencePieceFile(await file.read(0, file.sizeBytes)));
  return { tokenizer, chatTemplate: createInstructTemplate({ tokenizer, version: versionOf(tokenizer), reasoningEfforts: null }), file: name };
}

async function readHuggingFace(folder: TextFolder): Promise<TextModel | null> {
  const content = await readJson(folder, 'tokenizer.json');
  if (content === null) return null;
  const tokenizerConfig = await readJson(folder, 'tokenizer_config.json');
  const tokenizer = createTokenizer({ tokenizer: content, tokenizerConfig });
  const templateFile = await folder.readText('chat_template.jinja', { maxBytes: FILE_BYTES });
  return { tokenizer, chatTemplate: createChatTemplate({ tokenizer, tokenizerConfig, templateFile }), file: 'tokenizer.json' };
}

async function readJson(folder: TextFolder, name: string): Promise<object | null> {
  const text = await folder.readText(name, { maxBytes: FILE_BYTES });
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch (cause) {
    throw new AppError('failed_precondition', `${name} in ${folder.directory} is not valid JSON: download it again`, { cause });
  }
  throw new AppError('failed_precondition', `${name} in ${folder.directory} is not a JSON object: download it again`);
}
