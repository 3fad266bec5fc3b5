import { decodeRate, prefillRate, type TimedTokens, timeToFirstTokenMs } from '../rates.ts';
import { median } from '../statistics.ts';

/** So many prompts at once, each of so many tokens, each answered with so many. */
export interface Load {
  readonly streams: number;
  readonly promptTokens: number;
  readonly newTokens: number;
}

/** What decides a metric, and so which settings suit it. */
export type Work = 'decode' | 'prefill' | 'arrival';

const medianFirstTokenMs = (answers: readonly TimedTokens[]): number => median(answers.map(timeToFirstTokenMs));

/** How well a side does at it: more is better. Tokens per second; of arrivals, the median's first tokens per second. */
export const RATES: Readonly<Record<Work, (answers: readonly TimedTokens[]) => number>> = {
  decode: decodeRate,
  prefill: ([answer]) => prefillRate(answer!),
  arrival: (answers) => 1000 / medianFirstTokenMs(answers),
};

/** Measured by asking. */
export interface LoadMetric {
  readonly name: string;
  readonly unit: 'tokens/s' | 'ms';
  readonly work: Work;
  readonly load: Load;
  readonly measure: (answers: readonly TimedTokens[]) => number;
}

export const decode = <N extends number>(streams: N) =>
  ({ name: `decode-${streams}`, unit: 'tokens/s', work: 'decode', load: { streams, promptTokens: 128, newTokens: 128 }, measure: RATES.decode }) as const;

export const prefill = <N extends number>(promptTokens: N) =>
  ({ name: `prefill-${promptTokens}`, unit: 'tokens/s', work: 'prefill', load: { streams: 1, promptTokens, newTokens: 1 }, measure: RATES.prefill }) as const;

/** What both sides are asked, in the order of the table. Programs find rows by these names: change none. */
export const LOAD_METRICS = [
  decode(1), decode(4), decode(16), decode(32),
  prefill(512), prefill(2048),
  { name: 'ttft-16', unit: 'ms', work: 'arrival', load: { streams: 16, promptTokens: 128, newTokens: 16 }, measure: medianFirstTokenMs },
] as const satisfies readonly LoadMetric[];

/** What is read off the processes instead. */
const PROCESS_METRICS = [
  { name: 'memory', unit: 'MB' },
  { name: 'memory-worker', unit: 'MB' },
  { name: 'first-token-cold', unit: 'ms' },
  { name: 'first-token-warm', unit: 'ms' },
] as const;

export const METRICS = [...LOAD_METRICS, ...PROCESS_METRICS];
export type PeerMetricName = (typeof METRICS)[number]['name'];

/** One side's measurements of one round. What the system doesn't tell is absent. */
export type PeerSample = Readonly<Partial<Record<PeerMetricName, number>>>;
