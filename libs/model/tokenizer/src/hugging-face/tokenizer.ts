import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { AppError } from '@essaim/core';
import { textSplitter } from '../text-splitter.ts';
import { decodeBytes, type PromptPiece, type SpecialToken, type Tokenizer } from '../tokenizer.ts';
import { type SealedTokenizer, sealSpecialTokens } from './sealed-tokens.ts';
import { tokenAlphabet } from './token-bytes.ts';

/** The parsed JSON files of a checkpoint, as Hugging Face writes them. */
export interface TokenizerFiles {
  /** tokenizer.json */
  readonly tokenizer: object;
  /** tokenizer_config.json, where there is one: it names the special tokens. */
  readonly tokenizerConfig: object | null;
}

const namedToken = z.union([z.string(), z.looseObject({ content: z.string() }).transform(({ content }) => content)]).nullish().catch(null);
const configSchema = z.looseObject({ bos_token: namedToken, eos_token: namedToken });
const utf8 = new TextEncoder();

/** Fails with `failed_precondition` when the files don't make a tokenizer that this package knows. */
export function createTokenizer({ tokenizer, tokenizerConfig }: TokenizerFiles): Tokenizer {
  const { library, sealed } = open(tokenizer, tokenizerConfig ?? {});
  const { bytesOf, addsFirstSpace } = tokenAlphabet('decoder' in tokenizer ? tokenizer.decoder : null);
  const { specialTokens, addedIds, nameOf } = sealed;
  const specialById = new Map(specialTokens.map((token) => [token.id, token]));
  const specialByText = new Map(specialTokens.map((token) => [token.text, token]));
  const { bos_token: bos, eos_token: eos } = configSchema.parse(tokenizerConfig ?? {});

  const tokenBytes = (id: number): Uint8Array => {
    const token = specialById.get(id)?.text ?? library.id_to_token(id);
    if (token === undefined) return new Uint8Array();
    return addedIds.has(id) ? utf8.encode(token) : bytesOf(token);
  };
  const named = (text: string | null | undefined): SpecialToken | null => {
    if (text == null) return null;
    const id = specialByText.get(text)?.id ?? library.token_to_id(text);
    return id === undefined ? null : { id, text };
  };
  const sealedText = (piece: PromptPiece): string => (typeof piece === 'string' ? piece.toWellFormed() : nameOf(piece));
  const split = textSplitter([...specialByText.keys()]);
  const encode = (pieces: readonly PromptPiece[], addSpecialTokens: boolean): number[] =>
    library.encode(pieces.map(sealedText).join(''), { add_special_tokens: addSpecialTokens }).ids;

  const ids: number[] = [...(library.get_vocab().values())];
  return {
    vocabSize: ids.reduce((largest, id) => Math.max(largest, id), -1) + 1,
    longestTokenBytes: ids.reduce((longest, id) => Math.max(longest, tokenBytes(id).length), 1),
    bosToken: named(bos),
    eosToken: named(eos),
    beginning: beginningOf(encode).flatMap((id) => specialById.get(id) ?? []),
    specialTokens,
    encode: (text, { addSpecialTokens }) => encode(split(text).map((part) => specialByText.get(part) ?? part), addSpecialTokens),
    encodePieces: (pieces) => encode(pieces, false),
    decode: (sequence) => {
      const text = decodeBytes(sequence.map(tokenBytes));
      return addsFirstSpace && !addedIds.has(sequence[0] ?? -1) ? text.replace(/^ /, '') : text;
    },
    tokenBytes,
    isSpecial: (id) => specialById.has(id),
    specialToken: (text) => specialByText.get(text) ?? null,
  };
}

/** What the file's post-processor puts before a text. */
function beginningOf(encode: (pieces: readonly PromptPiece[], addSpecialTokens: boolean) => number[]): number[] {
  const text = encode(['a'], false);
  const whole = encode(['a'], true);
  return whole.slice(0, whole.findIndex((_, start) => text.every((id, place) => whole[start + place] === id)));
}

function open(tokenizer: object, config: object): { readonly library: HuggingFaceTokenizer; readonly sealed: SealedTokenizer } {
  const refusal = (cause?: unknown): AppError => new AppError('failed_precondition', 'tokenizer.json is not one that this version reads: use a checkpoint with a current Hugging Face tokenizer', { cause });
  const sealed = sealSpecialTokens(tokenizer);
  if (sealed === null) throw refusal();
  try {
    return { library: new HuggingFaceTokenizer(sealed.tokenizer, config), sealed };
  } catch (cause) {
    throw refusal(cause);
  }
}
