import { type ToolCall } from './conversation.ts';
import { TextStream } from './text-stream.ts';
import { type Tokenizer } from './tokenizer.ts';

/** What a part of an answer says to a person, and what to programs. */
export interface AnswerParts {
  readonly text: string;
  readonly calls: readonly ToolCall[];
}

/** Takes an answer apart as its tokens come. A call is told once it is whole, never in pieces. */
export interface AnswerReader {
  /** Unicode characters of text that came out so far. */
  readonly characterCount: number;
  push(id: number): AnswerParts;
  /** What is left when no token follows. */
  flush(): AnswerParts;
}

/** Of answers that are text and nothing else. */
export class TextReader implements AnswerReader {
  readonly #stream: TextStream;

  constructor(tokenizer: Pick<Tokenizer, 'tokenBytes' | 'isSpecial'>) {
    this.#stream = new TextStream(tokenizer);
  }

  get characterCount(): number {
    return this.#stream.characterCount;
  }

  push(id: number): AnswerParts {
    return { text: this.#stream.push(id), calls: NO_CALLS };
  }

  flush(): AnswerParts {
    return { text: this.#stream.flush(), calls: NO_CALLS };
  }
}

export interface AnswerReaderOptions {
  /** An id for a call that the model gave none; see `toolCallId`. */
  readonly newCallId: () => string;
}

const NO_CALLS: readonly ToolCall[] = [];
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Nine letters and digits, the form in which Mistral's models read ids. `random` gives numbers from 0 to below 1. */
export const toolCallId = (random: () => number): string => Array.from({ length: 9 }, () => LETTERS[Math.floor(random() * LETTERS.length)]).join('');
