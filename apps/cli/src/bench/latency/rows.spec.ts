import { expect, it } from 'vitest';
import { METRICS, type Sample } from './metrics.ts';
import { latencyRows } from './rows.ts';
import { type Watched } from './watch.ts';

const sampleOf = (watched: Watched): Sample => Object.fromEntries(METRICS.map(({ name }) => [name, watched])) as Sample;

it('compares within each round, not the medians of all', () => {
  const rounds = [[10, 20], [100, 300], [1, 1]].map(([median, p99]): Watched => ({ before: { count: 9, median: median! / 2, p99: median!, lastedMs: 80 }, during: { count: 100 - median!, median: median!, p99: p99!, lastedMs: 50 } }));
  const row = latencyRows(rounds.map(sampleOf)).find(({ name }) => name === 'prompt-16');
  expect(row).toEqual({
    name: 'prompt-16', target: { atMost: 2, of: 'its median' },
    before: { median: 5, min: 0.5, max: 50 }, median: { median: 10, min: 1, max: 100 }, p99: { median: 20, min: 1, max: 300 },
    toMedian: { median: 2, min: 1, max: 3 }, toBefore: { median: 4, min: 2, max: 6 }, lasted: { median: 50, min: 50, max: 50 }, waits: 0,
  });
});
