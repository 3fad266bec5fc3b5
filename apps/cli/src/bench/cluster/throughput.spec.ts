import { expect, it } from 'vitest';
import { NO_TIMES } from '@essaim/core';
import { type SideSample, throughputRows } from './throughput.ts';
import { breakdownTable, coresLine, throughputTable } from './throughput-report.ts';

const sample = (answers: number): SideSample => ({ answers, decode: 2 * answers, breakdown: { ...NO_TIMES, lead: { ...NO_TIMES.lead, dense: 750, remote: 250 } } });
const rows = throughputRows([{ one: sample(100), two: sample(90), four: sample(80) }, { one: sample(200), two: sample(160), four: sample(200) }], 1);

it('compares with the one process within each round, on as many threads as two workers have', () => {
  expect(rows.map(({ side, workers, threadsPerWorker }) => [side, workers, threadsPerWorker])).toEqual([['one', 1, 2], ['two', 2, 1], ['four', 4, 1]]);
  expect(rows.map(({ answersRatio }) => answersRatio)).toEqual([{ median: 1, min: 1, max: 1 }, { median: 0.8500000000000001, min: 0.8, max: 0.9 }, { median: 0.9, min: 0.8, max: 1 }]);
  expect(rows[1]!.decode).toEqual({ median: 250, min: 180, max: 320 });
});

it('shows ratios, shares that add up, and who has more threads than there are cores', () => {
  expect(throughputTable(rows)).toContain('125.0, 0.85x (0.80 to 0.90)');
  const table = breakdownTable(rows);
  expect(table).toMatch(/dense part .* 750 {3}75 % /);
  expect(table).toMatch(/a lead in all .* 1000 {2}100 % /);
  expect(coresLine(rows, 2)).toMatch(/4 workers have 4 threads on 2 cores$/);
  expect(coresLine(rows, 4)).not.toContain('cores');
});
