import { summarise, type Summary } from '../statistics.ts';
import { type Metric, METRICS, type Sample } from './metrics.ts';
import { type Watched } from './watch.ts';

/** Milliseconds, and ratios within each round. */
export type LatencyRow = Metric & {
  readonly before: Summary;
  readonly median: Summary;
  readonly p99: Summary;
  /** The 99th percentile to the median of the same waits. */
  readonly toMedian: Summary;
  /** The 99th percentile to the median before. */
  readonly toBefore: Summary;
  /** What happened. */
  readonly lasted: Summary;
  /** Waits in the round that had the fewest. */
  readonly waits: number;
};

/** One row for each metric, over the rounds. */
export function latencyRows(samples: readonly Sample[]): LatencyRow[] {
  return METRICS.map((metric) => {
    const watched = samples.map((sample) => sample[metric.name]);
    const over = (value: (each: Watched) => number): Summary => summarise(watched.map(value));
    return {
      ...metric,
      before: over(({ before }) => before.median),
      median: over(({ during }) => during.median),
      p99: over(({ during }) => during.p99),
      toMedian: over(({ during }) => during.p99 / during.median),
      toBefore: over(({ before, during }) => during.p99 / before.median),
      lasted: over(({ during }) => during.lastedMs),
      waits: Math.min(...watched.map(({ during }) => during.count)),
    };
  });
}
