import { choice, type Expression, NOTHING, oneOf, repeat, sequence, text } from '../expression.ts';

/** Whole numbers that a double holds exactly, and that have 15 digits at most. */
export const LARGEST = 999_999_999_999_999;

/** Both ends included; null for none but that of LARGEST. At least one number is between them. */
export interface IntegerRange {
  readonly min: number | null;
  readonly max: number | null;
}

/** The decimal forms of the whole numbers of a range. */
export function integers({ min, max }: IntegerRange): Expression {
  const [low, high] = [min ?? -LARGEST, max ?? LARGEST];
  const options: Expression[] = [];
  if (high >= 0) options.push(magnitudes(Math.max(0, low), high));
  if (low < 0) options.push(sequence(text('-'), magnitudes(Math.max(1, -high), -low)));
  return choice(...options);
}

/** Without a sign, from the fewest digits to the most. */
function magnitudes(low: number, high: number): Expression {
  const options: Expression[] = [];
  /** Digits behind the first of numbers that have any first digit but 0, and any behind it. */
  const open: number[] = [];
  for (let length = String(low).length; length <= String(high).length; length++) {
    const [least, most] = [length === 1 ? 1 : 10 ** (length - 1), 10 ** length - 1];
    if (low === 0 && length === 1) options.push(text('0'));
    if (low <= least && most <= high) open.push(length - 1);
    else if (Math.max(low, least) <= Math.min(high, most)) options.push(sameLength(String(Math.max(low, least)), String(Math.min(high, most))));
  }
  if (open.length > 0) options.push(sequence(digits(1, 9), repeat(digits(0, 9), open[0]!, open.at(-1)!)));
  return choice(...options);
}

export const digits = (from: number, to: number): Expression => oneOf([[48 + from, 48 + to]]);

/** Decimals from `low` to `high`, which have as many digits. */
function sameLength(low: string, high: string): Expression {
  if (low === '') return NOTHING;
  const [first, last] = [Number(low[0]), Number(high[0])];
  const [lowRest, highRest] = [low.slice(1), high.slice(1)];
  if (first === last) return sequence(text(low[0]!), sameLength(lowRest, highRest));
  const [zeros, nines] = ['0'.repeat(lowRest.length), '9'.repeat(highRest.length)];
  // A first digit behind which everything may follow needs no branch of its own: so there are never more than two.
  const [from, to] = [lowRest === zeros ? first : first + 1, highRest === nines ? last : last - 1];
  return choice(
    ...(from > first ? [sequence(text(low[0]!), sameLength(lowRest, nines))] : []),
    ...(from <= to ? [sequence(digits(from, to), repeat(digits(0, 9), lowRest.length, lowRest.length))] : []),
    ...(to < last ? [sequence(text(high[0]!), sameLength(zeros, highRest))] : []),
  );
}
