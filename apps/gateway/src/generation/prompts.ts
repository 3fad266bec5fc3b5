import { AppError } from '@essaim/core';
import { type PromptPiece } from '@essaim/tokenizer';
import { type ServedModel } from '../model/served-model.ts';
import { type Prompt } from './request.ts';

/** A prompt with its answer does not fit the model: HTTP clients get a code of their own for it. */
export class ContextLengthError extends AppError {}

interface TextOptions {
  readonly addSpecialTokens: boolean;
  readonly param: string;
}

/** Fails with `ContextLengthError` before it spends time on a text that can't fit. */
export function encodePrompt(text: string, model: ServedModel, { addSpecialTokens, param }: TextOptions): number[] {
  requireRoom(Buffer.byteLength(text), model, param);
  return model.tokenizer.encode(text, { addSpecialTokens });
}

/** The same for a prompt that a template laid out. */
export function encodePieces(pieces: readonly PromptPiece[], model: ServedModel, { param }: Pick<TextOptions, 'param'>): number[] {
  requireRoom(pieces.reduce((sum, piece) => sum + (typeof piece === 'string' ? Buffer.byteLength(piece) : 0), 0), model, param);
  return model.tokenizer.encodePieces(pieces);
}

function requireRoom(bytes: number, { tokenizer, spec }: ServedModel, param: string): void {
  const fewest = Math.ceil(bytes / tokenizer.longestTokenBytes);
  if (fewest > spec.contextLength) throw tooLong(`at least ${fewest}`, spec.contextLength, param);
}

export interface TokenBudget {
  /** New tokens asked for, or null. 0 asks for what is known of the prompt, which then may fill the context. */
  readonly asked: number | null;
  /** New tokens where none are asked for, if the context has room for them. */
  readonly fallback: number;
  /** For sentences: where the prompt came from. */
  readonly param: string;
}

/** A prompt that fits the model. An empty one is the beginning of a text. Fails with `invalid_argument`, of length as `ContextLengthError`. */
export function toPrompt(given: readonly number[], { asked, fallback, param }: TokenBudget, { spec, bosTokenId }: ServedModel): Prompt {
  const ids = given.length > 0 || bosTokenId === null ? given : [bosTokenId];
  if (ids.length === 0) throw new AppError('invalid_argument', `${param} is empty: give at least one character or token`, { param });
  requireTokenIds(ids, { vocabSize: spec.vocabSize, param });
  const room = spec.contextLength - ids.length;
  if (room < (asked === 0 ? 0 : 1)) throw tooLong(String(ids.length), spec.contextLength, param);
  if (asked !== null && asked > room) {
    throw new ContextLengthError('invalid_argument', `the prompt has ${ids.length} tokens and max_tokens is ${asked}, which is more than this model's context of ${spec.contextLength}: shorten the prompt or lower max_tokens to ${room}`, { param });
  }
  return { ids, maxTokens: asked ?? Math.min(fallback, room) };
}

/** Fails with `invalid_argument` for an id that the vocabulary does not have. */
export function requireTokenIds(ids: Iterable<number>, { vocabSize, param }: { readonly vocabSize: number; readonly param: string }): void {
  for (const id of ids) if (id >= vocabSize) throw new AppError('invalid_argument', `${param} names token ${id} and this model has ${vocabSize}: use ids from 0 to ${vocabSize - 1}`, { param });
}

function tooLong(tokens: string, contextLength: number, param: string): ContextLengthError {
  return new ContextLengthError('invalid_argument', `the prompt has ${tokens} tokens, which leaves no room for an answer in this model's context of ${contextLength}: shorten it`, { param });
}
