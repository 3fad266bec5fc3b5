import { z } from 'zod';

/** Messages complete "PATH: KEY ". */
const expecting = (what: string) => ({ error: ({ input }: { readonly input?: unknown }) => (input === undefined ? `is missing; it must be ${what}` : `must be ${what}`) });

function integerTo(max: number) {
  const message = expecting(`an integer from 1 to ${max}`);
  return z.int(message).min(1, message).max(max, message);
}

/** A width, a number of tokens or of heads. */
export const size = integerTo(2 ** 31 - 1);
/** Of layers or experts, each with tensors of its own; bounded so that no file makes us search for ever. */
export const count = integerTo(4096);
export const positiveNumber = z.number(expecting('a positive number')).positive(expecting('a positive number'));
export const flag = z.boolean(expecting('true or false'));
export const word = z.string(expecting('a string'));
export const tokenId = z.int(expecting('a token id')).nonnegative(expecting('a token id'));
export const tokenIds = z.union([tokenId, z.array(tokenId)], expecting('a token id or a list of them'));
