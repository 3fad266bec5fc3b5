import { type Watched } from './watch.ts';

/** What a longest wait is compared with, within a round. */
export type Reference = 'its median' | 'the median before';

/** Nothing happens beside streams that are alone. */
type Situation = 'alone' | 'prompt' | 'loading';

const TARGETS = {
  alone: null,
  prompt: { atMost: 2, of: 'its median' },
  loading: { atMost: 1.3, of: 'the median before' },
} as const satisfies Readonly<Record<Situation, { readonly atMost: number; readonly of: Reference } | null>>;

const metric = <S extends Situation, N extends number>(situation: S, streams: N) => ({ name: `${situation}-${streams}`, target: TARGETS[situation] }) as const;

/** In the order of the table. Programs find rows by these names: change none. */
export const METRICS = [metric('alone', 1), metric('alone', 16), metric('prompt', 1), metric('prompt', 16), metric('loading', 1), metric('loading', 16)] as const;

export type Metric = (typeof METRICS)[number];
export type MetricName = Metric['name'];

/** One round. */
export type Sample = Readonly<Record<MetricName, Watched>>;
