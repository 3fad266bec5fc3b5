import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import { METRICS, type Sample } from './metrics.ts';
import { gatewayTable } from './report.ts';
import { gatewayRows } from './rows.ts';

const sample = (value: number): Sample => Object.fromEntries(METRICS.map(({ name }) => [name, value])) as Sample;

it('every metric has a row with the median, the smallest and the largest of the rounds', () => {
  const rows = gatewayRows([sample(3), sample(1), sample(8)]);
  expect(rows.map(({ name }) => name)).toEqual(METRICS.map(({ name }) => name));
  for (const row of rows) expect(row).toMatchObject({ median: 3, min: 1, max: 8 });
});

it('a table says what each may be at most', () => {
  const lines = stripVTControlCharacters(gatewayTable(gatewayRows([sample(12.3)]))).split('\n');
  const cells = lines.find((line) => line.includes('memory per waiting stream'))?.split('│').map((cell) => cell.trim());
  expect(cells).toEqual(['', 'memory per waiting stream', 'KiB', '12', '12', '12', '64', '']);
});
