/** What is measured of a cluster, in the order of the table. Programs find rows by these names: change none. */
export const METRICS = [
  { name: 'decode, 1 stream', unit: 'tokens/s' },
  { name: 'decode, 16 streams', unit: 'tokens/s' },
  { name: 'answers, 16 streams', unit: 'tokens/s' },
  { name: 'prefill', unit: 'tokens/s' },
  { name: 'first token, 1 stream', unit: 'ms' },
  { name: 'first token, median of 16 streams', unit: 'ms' },
  { name: 'start, cold', unit: 's' },
  { name: 'start, warm', unit: 's' },
  { name: 'memory, resident', unit: 'MB' },
  { name: 'memory, resident, control plane', unit: 'MB' },
  { name: 'memory, resident, gateway', unit: 'MB' },
  { name: 'memory, resident, workers', unit: 'MB' },
  { name: 'memory, proportional', unit: 'MB' },
  { name: 'expert calls, local', unit: 'per token' },
  { name: 'expert calls, remote', unit: 'per token' },
] as const;

export type Metric = (typeof METRICS)[number];
export type MetricName = Metric['name'];

/** One measurement of one cluster. What the system doesn't tell is absent. */
export type Sample = Readonly<Partial<Record<MetricName, number>>>;
