import { summarise, type Summary } from '../statistics.ts';
import { METRICS, type Sample } from './metrics.ts';

export type GatewayRow = (typeof METRICS)[number] & Summary;

/** One row for each metric, over the rounds. */
export const gatewayRows = (samples: readonly Sample[]): GatewayRow[] =>
  METRICS.map((metric) => ({ ...metric, ...summarise(samples.map((sample) => sample[metric.name])) }));
