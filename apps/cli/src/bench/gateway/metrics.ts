/** What is measured of a gateway, in the order of the table, and what it may be at most. Programs find rows by these names: change none. */
export const METRICS = [
  { name: 'processor time per token, completions', unit: 'us', target: 150 },
  { name: 'processor time per token, chat', unit: 'us', target: 150 },
  { name: 'processor time per token, gRPC', unit: 'us', target: 150 },
  { name: 'first token, from the lead', unit: 'ms', target: null },
  { name: 'first token added, completions', unit: 'ms', target: 3 },
  { name: 'first token added, gRPC', unit: 'ms', target: 3 },
  { name: 'memory per waiting stream', unit: 'KiB', target: 64 },
] as const;

export type MetricName = (typeof METRICS)[number]['name'];

/** One measurement of one gateway. */
export type Sample = Readonly<Record<MetricName, number>>;
