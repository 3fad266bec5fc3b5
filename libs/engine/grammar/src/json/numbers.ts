import { choice, type Expression, NOTHING, oneOf, repeat, sequence, text } from '../expression.ts';
import { wholeText } from '../regex.ts';

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

const digits = (from: number, to: number): Expression => oneOf([[48 + from, 48 + to]]);

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

export interface Bound {
  /** A whole number. */
  readonly value: number;
  readonly isExclusive: boolean;
}

export interface NumberRange {
  readonly min: Bound | null;
  readonly max: Bound | null;
}

/** Of numbers in a range, so that no fraction is rounded to the bound itself. */
const FRACTION = wholeText('(\\.[0-9]{1,6})?');
const FRACTION_NOT_ZERO = wholeText('\\.0{0,5}[1-9][0-9]{0,5}');
const FRACTION_ZERO = wholeText('(\\.0{1,6})?');
const ZERO: Bound = { value: 0, isExclusive: false };

/** The decimal forms, without exponents, of the numbers of a range; an empty choice where there is none. */
export function numbers({ min, max }: NumberRange): Expression {
  const options: Expression[] = [];
  if (max === null || max.value >= 0) options.push(...decimals(min === null || min.value < 0 ? ZERO : min, max));
  // Zero has no sign here.
  if (min === null || min.value < 0) options.push(...decimals(max === null || max.value >= 0 ? { ...ZERO, isExclusive: true } : negated(max), min === null ? null : negated(min)).map((each) => sequence(text('-'), each)));
  return choice(...options);
}

const negated = ({ value, isExclusive }: Bound): Bound => ({ value: -value, isExclusive });

/** Without a sign, from `low` on. */
function decimals(low: Bound, high: Bound | null): Expression[] {
  if (high !== null && (low.value > high.value || (low.value === high.value && (low.isExclusive || high.isExclusive)))) return [];
  const between = { min: low.value + 1, max: high === null ? null : high.value - 1 };
  const options: Expression[] = [];
  if (low.value === high?.value) return [sequence(text(String(low.value)), FRACTION_ZERO)];
  if (between.max === null || between.min <= between.max) options.push(sequence(integers(between), FRACTION));
  options.push(sequence(text(String(low.value)), low.isExclusive ? FRACTION_NOT_ZERO : FRACTION));
  if (high !== null && !high.isExclusive) options.push(sequence(text(String(high.value)), FRACTION_ZERO));
  return options;
}
