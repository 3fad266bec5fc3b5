import { expect, it } from 'vitest';
import { SYNTHETIC_MIXTRAL } from '../synthetic/model.ts';
import { type PlanRow } from './compare-plan.ts';
import { verdictLine } from './report.ts';
import { RULERS } from './rulers.ts';

const row = (ratio: number): PlanRow => ({ model: 'built-in', dtype: 'float32', workers: 2, asked: '1 stream', unit: 'tokens/s', predicted: 100 * ratio, measured: 100, ratio });

it('the verdict counts what is near enough and names the furthest', () => {
  expect(verdictLine([row(1.2), row(0.74), row(1.26)])).toBe('1 of 3 predictions are within 25 % of what was measured; the furthest is built-in, 1 stream on 2: 0.74 times');
});

it('no model that plans are checked with is one that they are calibrated with', () => {
  expect(Object.values(RULERS).some(({ layerCount, hiddenSize }) => hiddenSize === SYNTHETIC_MIXTRAL.hiddenSize || layerCount * hiddenSize === 6 * 192)).toBe(false);
});
