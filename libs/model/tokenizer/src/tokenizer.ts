import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { AppError } from '@essaim/core';
import { tokenAlphabet } from './token-bytes.ts';

/** The parsed JSON files of a checkpoint, as Hugging Face writes them. */
export interface TokenizerFiles {
  /** tokenizer.json */
  readonly tokenizer: object;
  /** tokenizer_config.json, where there is one: it names the special tokens. */
  readonly tokenizerConfig: object | null;
}

export interface SpecialToken {
  readonly id: number;
  readonly text: string;
}

/** Text to token ids and back. Immutable. */
export interface Tokenizer {
  /** Ids are below this number; a model's own vocabulary may be larger, and the ids between mean no text. */
  readonly vocabSize: number;
  /** UTF-8 bytes of the longest token: a text has at least its bytes divided by this many tokens. */
  readonly longestTokenBytes: number;
  readonly bosToken: SpecialToken | null;
  readonly eosToken: SpecialToken | null;
  encode(text: string, options: { readonly addSpecialTokens: boolean }): number[];
  /** The text of a whole sequence, special tokens written out. Bytes that are no UTF-8 become U+FFFD. */
  decode(ids: readonly number[]): string;
  /** UTF-8 of one token as it stands inside a text: it may begin or end inside a character. Empty for an id without a token. */
  tokenBytes(id: number): Uint8Array;
  /** Control tokens, such as the end of the text: they are no part of an answer. */
  isSpecial(id: number): boolean;
}

const namedToken = z.union([z.string(), z.looseObject({ content: z.string() }).transform(({ content }) => content)]).nullish().catch(null);
const configSchema = z.looseObject({ bos_token: namedToken, eos_token: namedToken });

/** Fails with `failed_precondition` when the files don't make a tokenizer that this package knows. */
export function createTokenizer({ tokenizer, tokenizerConfig }: TokenizerFiles): Tokenizer {
  const library = open(tokenizer, tokenizerConfig ?? {});
  const { bytesOf, addsFirstSpace } = tokenAlphabet('decoder' in tokenizer ? tokenizer.decoder : null);
  const added = library.get_added_tokens_decoder();
  const names = configSchema.parse(tokenizerConfig ?? {});

  const tokenBytes = (id: number): Uint8Array => {
    const token = library.id_to_token(id);
    if (token === undefined) return new Uint8Array();
    return added.has(id) ? new TextEncoder().encode(token) : bytesOf(token);
  };
  const special = (text: string | null | undefined): SpecialToken | null => {
    const id = text == null ? undefined : library.token_to_id(text);
    return id === undefined ? null : { id, text: text! };
  };
  const ids = [...library.get_vocab().values()];
  return {
    vocabSize: ids.reduce((largest, id) => Math.max(largest, id), -1) + 1,
    longestTokenBytes: ids.reduce((longest, id) => Math.max(longest, tokenBytes(id).length), 1),
    bosToken: special(names.bos_token),
    eosToken: special(names.eos_token),
    encode: (text, { addSpecialTokens }) => library.encode(text, { add_special_tokens: addSpecialTokens }).ids,
    decode: (sequence) => {
      const text = decodeBytes(sequence.map(tokenBytes));
      return addsFirstSpace && !added.has(sequence[0] ?? -1) ? text.replace(/^ /, '') : text;
    },
    tokenBytes,
    isSpecial: (id) => added.get(id)?.special ?? false,
  };
}

function open(tokenizer: object, config: object): HuggingFaceTokenizer {
  try {
    return new HuggingFaceTokenizer(tokenizer, config);
  } catch (cause) {
    throw new AppError('failed_precondition', 'tokenizer.json is not one that this version reads: use a checkpoint with a current Hugging Face tokenizer', { cause });
  }
}

function decodeBytes(parts: readonly Uint8Array[]): string {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  return parts.map((part) => decoder.decode(part, { stream: true })).join('') + decoder.decode();
}
