import { expect, it } from 'vitest';
import { rowsOf } from './rows.ts';

it('compares within each round, not the medians of the sides', () => {
  const rounds = [{ one: 10, three: 20 }, { one: 100, three: 150 }, { one: 1, three: 3 }];
  const rows = rowsOf(rounds.map(({ one, three }) => ({ one: { prefill: one }, three: { prefill: three } })));
  expect(rows).toEqual([{
    name: 'prefill', unit: 'tokens/s',
    one: { median: 10, min: 1, max: 100 }, three: { median: 20, min: 3, max: 150 }, ratio: { median: 2, min: 1.5, max: 3 },
  }]);
});

it('has no ratio to nothing', () => {
  const [row] = rowsOf([{ one: { 'expert calls, remote': 0 }, three: { 'expert calls, remote': 8 } }]);
  expect(row?.ratio).toBeNull();
});

it('leaves out what was not measured everywhere', () => {
  const whole = { 'start, cold': 1, 'start, warm': 2 };
  expect(rowsOf([{ one: whole, three: whole }, { one: whole, three: { 'start, warm': 2 } }]).map(({ name }) => name)).toEqual(['start, warm']);
});
