import { METRICS, type Metric, type MetricName, type Sample } from './metrics.ts';
import { summarise, type Summary } from './statistics.ts';

/** The same thing measured on both clusters, one after the other. */
export interface Round {
  readonly one: Sample;
  readonly three: Sample;
}

export interface Row {
  readonly name: MetricName;
  readonly unit: Metric['unit'];
  /** With 1 worker. */
  readonly one: Summary;
  /** With 3 workers. */
  readonly three: Summary;
  /** Three to one within each round, so that what slows the whole machine down for minutes cancels out; null where one is zero. */
  readonly ratio: Summary | null;
}

/** One row for each metric that every round has on both sides. */
export function rowsOf(rounds: readonly Round[]): Row[] {
  return METRICS.flatMap(({ name, unit }) => {
    const pairs = rounds.map(({ one, three }) => ({ one: one[name], three: three[name] })).filter(isMeasured);
    if (pairs.length < rounds.length) return [];
    const ratio = pairs.every(({ one }) => one !== 0) ? summarise(pairs.map(({ one, three }) => three / one)) : null;
    return [{ name, unit, one: summarise(pairs.map(({ one }) => one)), three: summarise(pairs.map(({ three }) => three)), ratio }];
  });
}

type Pair = Record<keyof Round, number>;
const isMeasured = (pair: { readonly [Side in keyof Pair]: Pair[Side] | undefined }): pair is Pair => pair.one !== undefined && pair.three !== undefined;
