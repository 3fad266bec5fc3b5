import { type PositionLogprobs, type TokenLogprob } from '@essaim/core';
import { type Tokenizer } from '@essaim/tokenizer';

/** What OpenAI's API says for a logarithm of zero, which JSON can't. */
const LEAST_LOGPROB = -9999;

/** A token by itself as OpenAI's API writes it: its text, or `bytes:\xe2\x82` where it begins or ends inside a character, so that no two tokens look alike. */
export function tokenText(tokenizer: Pick<Tokenizer, 'tokenBytes'>, id: number): string {
  const bytes = tokenizer.tokenBytes(id);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return `bytes:${Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}`;
  }
}

export const finite = (logprob: number): number => Math.max(logprob, LEAST_LOGPROB);

/** The alternatives of a position with the chosen token among them, once. */
export const withChosen = (id: number, { logprob, top }: PositionLogprobs): readonly TokenLogprob[] => (top.some((each) => each.id === id) ? top : [...top, { id, logprob }]);
