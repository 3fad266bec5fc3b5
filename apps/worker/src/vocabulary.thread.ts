import { parentPort, workerData } from 'node:worker_threads';
import { AppError, assert } from '@essaim/core';
import { openCheckpointFolder } from '@essaim/files';
import { buildVocabulary, type Vocabulary } from '@essaim/grammar';
import { readTextModel, type Tokenizer } from '@essaim/tokenizer';
import { type VocabularyReply } from './answer-matchers.ts';

/** A thread that reads what the model's tokens say and ends, so that the thread that serves neither waits for it nor keeps the tokenizer. */
const { directory } = workerData as { readonly directory: string };
const port = parentPort;
assert(port, 'this file is the entry of a thread');

/** Tokens that are no text may only come where a constraint names them. */
const textsOf = ({ vocabSize, isSpecial, tokenBytes }: Tokenizer): Uint8Array[] =>
  Array.from({ length: vocabSize }, (_, id) => (isSpecial(id) ? new Uint8Array() : tokenBytes(id)));

const buffersOf = ({ all, special, plain }: Vocabulary): ArrayBuffer[] =>
  [plain, ...[all, special].flatMap(({ bytes, depths, ends, parents, tokens, nodes }) => [bytes, depths, ends, parents, tokens, nodes])].map(({ buffer }) => buffer as ArrayBuffer);

const folder = openCheckpointFolder(directory);
try {
  const { tokenizer } = await readTextModel(folder);
  const vocabulary = buildVocabulary(textsOf(tokenizer));
  port.postMessage({ kind: 'done', vocabulary } satisfies VocabularyReply, buffersOf(vocabulary));
} catch (thrown) {
  port.postMessage({ kind: 'failed', error: AppError.from(thrown).report() } satisfies VocabularyReply);
} finally {
  await folder.close();
}
