/** A token that means no text but a place in a prompt, such as its beginning. */
export interface SpecialToken {
  readonly id: number;
  /** The name that the model's own files give it. */
  readonly text: string;
}

/** Of a prompt: text, in which nothing is special whatever it looks like, or a token that only whoever lays out the prompt may write. */
export type PromptPiece = string | SpecialToken;

/** Text to token ids and back. Immutable. */
export interface Tokenizer {
  /** Ids are below this number; a model's own vocabulary may be larger, and the ids between mean no text. */
  readonly vocabSize: number;
  /** UTF-8 bytes of the longest token: a text has at least its bytes divided by this many tokens. */
  readonly longestTokenBytes: number;
  readonly bosToken: SpecialToken | null;
  readonly eosToken: SpecialToken | null;
  /** What the model expects before every text. */
  readonly beginning: readonly SpecialToken[];
  /** A plain text as its own prompt. Names of special tokens in it are special only where a Hugging Face tokenizer says so; in a Mistral one they are text. */
  encode(text: string, options: { readonly addSpecialTokens: boolean }): number[];
  /** A prompt in pieces, which says itself where it begins. Text never becomes a special token. */
  encodePieces(pieces: readonly PromptPiece[]): number[];
  /** The text of a whole sequence, special tokens written out. Bytes that are no UTF-8 become U+FFFD. */
  decode(ids: readonly number[]): string;
  /** UTF-8 of one token as it stands inside a text: it may begin or end inside a character. Empty for an id without a token. */
  tokenBytes(id: number): Uint8Array;
  /** Control tokens, such as the end of the text: they are no part of an answer. */
  readonly specialTokens: readonly SpecialToken[];
  isSpecial(id: number): boolean;
  /** By its name; null where the model has none of it. */
  specialToken(text: string): SpecialToken | null;
}

/** The characters of all parts together: one may begin in a part and end in the next. */
export function decodeBytes(parts: readonly Uint8Array[]): string {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  return parts.map((part) => decoder.decode(part, { stream: true })).join('') + decoder.decode();
}
