import { z } from 'zod';
import { AppError } from '@essaim/core';

/** How a tokenizer writes bytes as characters, read from the `decoder` of its tokenizer.json. */
export interface TokenAlphabet {
  /** UTF-8 of one token of the vocabulary; it may begin or end inside a character. */
  bytesOf(token: string): Uint8Array;
  /** The encoder puts a space before every text, which the decoding of a whole text takes away again. */
  readonly addsFirstSpace: boolean;
}

type Step = z.infer<typeof stepSchema>;
const stepSchema = z.looseObject({ type: z.string(), decoders: z.array(z.looseObject({ type: z.string() })).optional() });

const utf8 = new TextEncoder();

/** Fails with `failed_precondition` for a decoder that is neither byte-level BPE nor SentencePiece: the two that Mistral's and Llama's families use. */
export function tokenAlphabet(decoder: unknown): TokenAlphabet {
  const steps = stepsOf(decoder);
  const has = (type: string): boolean => steps.some((step) => step.type === type);
  if (has('ByteLevel')) return { bytesOf: byteLevelBytes, addsFirstSpace: false };
  if (has('ByteFallback') || has('Metaspace')) return { bytesOf: sentencePieceBytes, addsFirstSpace: steps.some(takesFirstSpace) };
  const types = steps.map(({ type }) => type).join(', ') || 'none';
  throw new AppError('failed_precondition', `tokenizer.json has a decoder that is not supported (${types}): use a model with byte-level BPE or SentencePiece`);
}

function stepsOf(decoder: unknown): Step[] {
  const parsed = stepSchema.safeParse(decoder);
  if (!parsed.success) return [];
  return parsed.data.type === 'Sequence' ? (parsed.data.decoders ?? []) : [parsed.data];
}

const takesFirstSpace = (step: Step): boolean =>
  step.type === 'Strip' ? step['content'] === ' ' && step['start'] === 1 : step.type === 'Metaspace' && step['prepend_scheme'] !== 'never' && step['add_prefix_space'] !== false;

/** GPT-2's alphabet: bytes that print stand for themselves, the others are the characters from U+0100 on (`bytes_to_unicode` in openai/gpt-2). */
const BYTE_OF_CHARACTER: ReadonlyMap<string, number> = (() => {
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  const prints = (byte: number): boolean => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 255 && byte !== 173);
  const silent = bytes.filter((byte) => !prints(byte));
  return new Map(bytes.map((byte) => [String.fromCodePoint(prints(byte) ? byte : 256 + silent.indexOf(byte)), byte]));
})();

function byteLevelBytes(token: string): Uint8Array {
  const bytes = Array.from(token, (character) => BYTE_OF_CHARACTER.get(character));
  // A token outside the alphabet was written as plain text.
  return bytes.includes(undefined) ? utf8.encode(token) : Uint8Array.from(bytes as number[]);
}

function sentencePieceBytes(token: string): Uint8Array {
  const byte = /^<0x([0-9A-F]{2})>$/.exec(token);
  return byte === null ? utf8.encode(token.replaceAll('▁', ' ')) : Uint8Array.of(Number.parseInt(byte[1]!, 16));
}
