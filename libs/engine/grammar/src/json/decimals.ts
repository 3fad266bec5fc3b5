import { choice, type Expression, NOTHING, repeat, sequence, text } from '../expression.ts';
import { digits, integers } from './integers.ts';

export interface Bound {
  /** With at most PLACES digits behind the point. */
  readonly value: number;
  readonly isExclusive: boolean;
}

export interface NumberRange {
  readonly min: Bound | null;
  readonly max: Bound | null;
}

/** Digits behind the point, so few that no number up to 10^9 is rounded to its neighbour. */
export const PLACES = 6;

/** The decimal forms, without exponents, of the numbers of a range; an empty choice where there is none. */
export function decimals({ min, max }: NumberRange): Expression {
  const options: Expression[] = [];
  if (max === null || max.value >= 0) options.push(...magnitudes(min === null || min.value < 0 ? edge(0, false) : edgeOf(min), max === null ? null : edgeOf(max)));
  // Zero has no sign here.
  if (min === null || min.value < 0) {
    const negative = magnitudes(max === null || max.value >= 0 ? edge(0, true) : edgeOf(max), min === null ? null : edgeOf(min));
    options.push(...negative.map((each) => sequence(text('-'), each)));
  }
  return choice(...options);
}

/** A bound without its sign. */
interface Edge {
  readonly whole: number;
  readonly fraction: FractionEdge;
}

interface FractionEdge {
  /** Without zeros at the end. */
  readonly digits: string;
  readonly isExclusive: boolean;
}

const edge = (whole: number, isExclusive: boolean, behind = ''): Edge => ({ whole, fraction: { digits: behind, isExclusive } });

function edgeOf({ value, isExclusive }: Bound): Edge {
  const [whole, behind] = Math.abs(value).toFixed(PLACES).split('.');
  return edge(Number(whole), isExclusive, behind!.replace(/0+$/, ''));
}

/** From `low` on, which is at most `high`. */
function magnitudes(low: Edge, high: Edge | null): Expression[] {
  if (high !== null && comesAfter(low, high)) return [];
  if (low.whole === high?.whole) return [sequence(text(String(low.whole)), fraction(low.fraction, high.fraction))];
  const between = { min: low.whole + 1, max: high === null ? null : high.whole - 1 };
  return [
    sequence(text(String(low.whole)), fraction(low.fraction, null)),
    ...(between.max === null || between.min <= between.max ? [sequence(integers(between), fraction(null, null))] : []),
    ...(high === null ? [] : [sequence(text(String(high.whole)), fraction(null, high.fraction))]),
  ];
}

/** Nothing is between them. */
function comesAfter(low: Edge, high: Edge): boolean {
  if (low.whole !== high.whole) return low.whole > high.whole;
  if (low.fraction.digits === high.fraction.digits) return low.fraction.isExclusive || high.fraction.isExclusive;
  return low.fraction.digits > high.fraction.digits;
}

/** A point and digits, or nothing, from one edge to another; null for none. */
function fraction(low: FractionEdge | null, high: FractionEdge | null): Expression {
  return choice(sequence(text('.'), digitsBetween(low, high, PLACES)), ...(mayEnd(low, high) ? [NOTHING] : []));
}

/** Nothing more, which is as good as zeros. */
const mayEnd = (low: FractionEdge | null, high: FractionEdge | null): boolean =>
  (low === null || (low.digits === '' && !low.isExclusive)) && (high === null || high.digits !== '' || !high.isExclusive);

/** At least one digit, and no more than `room`. */
function digitsBetween(low: FractionEdge | null, high: FractionEdge | null, room: number): Expression {
  if (low === null && high === null) return repeat(digits(0, 9), 1, room);
  const [least, most] = [Number(low?.digits[0] ?? 0), Number(high?.digits[0] ?? 9)];
  const highest = high !== null && high.digits === '' ? 0 : most;
  const options: Expression[] = [];
  for (let digit = least; digit <= highest; digit++) {
    const [lower, upper] = [low !== null && digit === least ? rest(low) : null, high !== null && digit === highest ? rest(high) : null];
    const more = room === 1 ? [] : [digitsBetween(lower, upper, room - 1)];
    options.push(sequence(digits(digit, digit), choice(...more, ...(mayEnd(lower, upper) ? [NOTHING] : []))));
  }
  return choice(...options);
}

const rest = ({ digits: behind, isExclusive }: FractionEdge): FractionEdge => ({ digits: behind.slice(1), isExclusive });
