import { assert } from '@essaim/core';
import { median } from '../statistics.ts';

/** A time, in milliseconds on the clock of the tokens. */
export interface Period {
  readonly fromMs: number;
  readonly toMs: number;
}

/** How long streams wait for their next token, in milliseconds. */
export interface Gaps {
  readonly count: number;
  readonly median: number;
  readonly p99: number;
  /** Of the period in which they were. */
  readonly lastedMs: number;
}

/** Waits for a next token that lie in the period at least in part, those of all streams together. At least one does. */
export function gapsIn(streams: readonly (readonly number[])[], { fromMs, toMs }: Period): Gaps {
  const gaps = streams.flatMap((tokenMs) => tokenMs.slice(1).flatMap((time, nth) => (time > fromMs && tokenMs[nth]! < toMs ? [time - tokenMs[nth]!] : [])));
  return { count: gaps.length, median: median(gaps), p99: quantile(gaps, 0.99), lastedMs: toMs - fromMs };
}

/** The smallest value that so large a share of them does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  assert(values.length > 0 && share > 0 && share <= 1, 'a quantile is of something');
  return values.toSorted((one, other) => one - other)[Math.ceil(share * values.length) - 1]!;
}
