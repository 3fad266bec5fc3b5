import { expect, it } from 'vitest';
import { CASES } from './cases.ts';
import { growthOf, scaleRows } from './rows.ts';

it('every case has a row with the median, the smallest and the largest of the rounds', () => {
  const rows = scaleRows(CASES, [3, 1, 8].map((ns) => CASES.map(() => ns)));
  expect(rows.map(({ name, tokens }) => [name, tokens])).toEqual(CASES.map(({ name, tokens }) => [name, tokens]));
  for (const row of rows) expect(row).toMatchObject({ unit: 'ns', median: 3, min: 1, max: 8 });
});

it('what takes the same time per token at every size does not grow, what is quadratic grows a hundredfold', () => {
  const linear = CASES.map(() => 7);
  const quadratic = CASES.map(({ tokens }) => tokens);
  for (const growth of growthOf(CASES, [linear])) expect(growth.median).toBe(1);
  for (const growth of growthOf(CASES, [quadratic])) expect(growth.median).toBe(100);
});
