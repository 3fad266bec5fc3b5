import { expect, it } from 'vitest';
import { peerRows } from './rows.ts';

it('compares within each round, not the medians of the sides', () => {
  const rounds = [[20, 10], [150, 100], [3, 1]].map(([ours, peer]) => ({ ours: { 'decode-1': ours! }, peer: { 'decode-1': peer! } }));
  expect(peerRows(rounds)).toEqual([{ name: 'decode-1', unit: 'tokens/s', ours: 20, peer: 10, ratio: 2, min: 1.5, max: 3 }]);
});

it('leaves out what was not measured everywhere, and keeps the order of the table', () => {
  const whole = { memory: 1, 'decode-16': 2, 'first-token-cold': 3 };
  const rows = peerRows([{ ours: whole, peer: whole }, { ours: whole, peer: { memory: 1, 'decode-16': 2 } }]);
  expect(rows.map(({ name }) => name)).toEqual(['decode-16', 'memory']);
});
