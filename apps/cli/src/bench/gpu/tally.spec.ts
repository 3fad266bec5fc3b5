import { expect, it } from 'vitest';
import { Tally } from './tally.ts';

it('has the rates of a row over its rounds, and ratios within rounds that both have', () => {
  const tally = new Tally();
  for (const [round, rate] of [[1, 10], [2, 30], [3, 20]] as const) tally.add('essaim', 'decode-1', { round, rate });
  for (const [round, rate] of [[1, 5], [3, 40]] as const) tally.add('transformers', 'decode-1', { round, rate });
  expect(tally.rate('essaim', 'decode-1')).toEqual({ median: 20, min: 10, max: 30 });
  expect(tally.ratio('essaim', 'transformers', 'decode-1')).toEqual({ median: 1.25, min: 0.5, max: 2 });
  expect([tally.rate('essaim', 'decode-8'), tally.ratio('essaim', 'llama.cpp', 'decode-1')]).toEqual([null, null]);
});
