import { z } from 'zod';

/** Messages complete "PATH: KEY ". */
const expecting = (what: string) => ({ error: ({ input }: { readonly input?: unknown }) => (input === undefined ? `is missing; it must be ${what}` : `must be ${what}`) });

function integerFrom(min: number, max: number) {
  const message = expecting(`an integer from ${min} to ${max}`);
  return z.int(message).min(min, message).max(max, message);
}

/** A width, a number of tokens or of heads. */
export const size = integerFrom(1, 2 ** 31 - 1);
/** Of layers or experts, each with tensors of its own; bounded so that no file makes us search for ever. */
export const count = integerFrom(1, 4096);
/** A number of layers or experts that may be none. */
export const countOrNone = integerFrom(0, 4096);
export const positiveNumber = z.number(expecting('a positive number')).positive(expecting('a positive number'));
export const nonNegativeNumber = z.number(expecting('a number, not negative')).nonnegative(expecting('a number, not negative'));
export const flag = z.boolean(expecting('true or false'));
export const word = z.string(expecting('a string'));
export const tokenId = z.int(expecting('a token id')).nonnegative(expecting('a token id'));
export const tokenIds = z.union([tokenId, z.array(tokenId)], expecting('a token id or a list of them'));
