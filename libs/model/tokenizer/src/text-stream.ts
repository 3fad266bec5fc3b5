import { type Tokenizer } from './tokenizer.ts';

/**
 * The text of an answer as its tokens come: whole characters only, constant time per token. It continues a text, so that a first space stays,
 * and leaves out special tokens. Everything pushed and the flush together are the decoding of all its bytes at once.
 */
export class TextStream {
  readonly #tokenizer: Pick<Tokenizer, 'tokenBytes' | 'isSpecial'>;
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  #characters = 0;

  constructor(tokenizer: Pick<Tokenizer, 'tokenBytes' | 'isSpecial'>) {
    this.#tokenizer = tokenizer;
  }

  /** Unicode characters (not UTF-16 units) that came out so far. */
  get characterCount(): number {
    return this.#characters;
  }

  /** The characters that this token completes; empty where it ends inside one. */
  push(id: number): string {
    if (this.#tokenizer.isSpecial(id)) return '';
    return this.#count(this.#decoder.decode(this.#tokenizer.tokenBytes(id), { stream: true }));
  }

  /** What is left when no token follows: U+FFFD for a character that was never completed. */
  flush(): string {
    return this.#count(this.#decoder.decode());
  }

  #count(text: string): string {
    for (const _character of text) this.#characters++;
    return text;
  }
}
