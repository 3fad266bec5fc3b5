/** The byte at each place of a UTF-8 sequence may be any of a range, both ends included. */
export type ByteRanges = readonly (readonly [low: number, high: number])[];

/** The last scalar value of one, two, three and four bytes. */
const LAST_OF_LENGTH = [0x7f, 0x7ff, 0xffff, 0x10ffff];
const CONTINUED_BITS = 6;

/** The UTF-8 of all scalar values from `from` to `to`, no two sequences with a text in common (as in Thompson's and Cox's RE2). */
export function utf8Ranges(from: number, to: number): ByteRanges[] {
  const length = LAST_OF_LENGTH.findIndex((last) => from <= last) + 1;
  const last = LAST_OF_LENGTH[length - 1]!;
  if (to > last) return [...utf8Ranges(from, last), ...utf8Ranges(last + 1, to)];
  const split = placeToSplit(from, to, length);
  if (split !== null) return [...utf8Ranges(from, split), ...utf8Ranges(split + 1, to)];
  const [first, second] = [encode(from), encode(to)];
  return [first.map((low, place) => [low, second[place]!] as const)];
}

/** Where bytes differ, all behind them must take every value; null where that is so. */
function placeToSplit(from: number, to: number, length: number): number | null {
  for (let behind = 1; behind < length; behind++) {
    const rest = (1 << (CONTINUED_BITS * behind)) - 1;
    if ((from & ~rest) === (to & ~rest)) continue;
    if ((from & rest) !== 0) return from | rest;
    if ((to & rest) !== rest) return (to & ~rest) - 1;
  }
  return null;
}

const utf8 = new TextEncoder();
const encode = (character: number): number[] => [...utf8.encode(String.fromCodePoint(character))];
