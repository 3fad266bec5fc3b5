import { Worker } from 'node:worker_threads';
import { AppError, type Constraint, type ErrorReport } from '@essaim/core';
import { Matchers, type TokenMatcher, type Vocabulary } from '@essaim/grammar';
import { type Logger } from '@essaim/telemetry';

export type VocabularyReply = { readonly kind: 'done'; readonly vocabulary: Vocabulary } | { readonly kind: 'failed'; readonly error: ErrorReport };

export interface AnswerMatchersOptions {
  /** The checkpoint's folder, with the tokenizer that the model belongs to. */
  readonly directory: string;
  /** Of the model's logits. */
  readonly vocabSize: number;
  readonly logger: Pick<Logger, 'warn'>;
  /** Default: the one beside this file. */
  readonly threadEntry?: URL;
}

/** A tokenizer of 131 thousand tokens is read in less than a second. */
const READ_MS = 60_000;

/**
 * Holds answers to what they must be. This is the only place where a worker sees texts of tokens: they are read once, for the first such
 * answer, by a thread that then ends, so that whoever asks for free text pays nothing.
 */
export class AnswerMatchers {
  readonly #options: AnswerMatchersOptions;
  #matchers: Promise<Matchers> | null = null;

  constructor(options: AnswerMatchersOptions) {
    this.#options = options;
  }

  /** Fails with `invalid_argument` for a constraint that can't be followed, with `failed_precondition` where the tokenizer can't be read. */
  async open(constraint: Constraint): Promise<TokenMatcher> {
    this.#matchers ??= this.#read();
    return (await this.#matchers).open(constraint);
  }

  /** What failed is tried again for the next answer: somebody may have put the file there. */
  async #read(): Promise<Matchers> {
    try {
      return new Matchers(await this.#readVocabulary(), this.#options.vocabSize);
    } catch (thrown) {
      this.#matchers = null;
      const error = AppError.from(thrown);
      this.#options.logger.warn({ error }, 'the tokenizer can\'t be read, so no answer can be held to a schema, pattern or grammar');
      throw new AppError('failed_precondition', `this worker can't read the model's tokenizer: ${error.message}`, { cause: error });
    }
  }

  async #readVocabulary(): Promise<Vocabulary> {
    const { directory, threadEntry = new URL('./vocabulary.thread.js', import.meta.url) } = this.#options;
    const thread = new Worker(threadEntry, { workerData: { directory } });
    const { promise, resolve, reject } = Promise.withResolvers<Vocabulary>();
    const late = setTimeout(() => reject(new AppError('deadline_exceeded', `reading the tokenizer took longer than ${READ_MS} ms: look at the disk`)), READ_MS);
    thread.on('message', (reply: VocabularyReply) => (reply.kind === 'done' ? resolve(reply.vocabulary) : reject(AppError.reported(reply.error))));
    thread.on('error', reject).on('exit', () => reject(new AppError('cancelled', 'reading the tokenizer was stopped')));
    try {
      return await promise;
    } finally {
      clearTimeout(late);
      await thread.terminate();
    }
  }
}
