import { expect, it } from 'vitest';
import { type DeviceRates } from '@essaim/devices';
import { activeBytes, activeWeights, promptFlops } from '../active-weights.ts';
import { decode, prefill } from '../peer/metrics.ts';
import { SYNTHETIC_LARGE as spec } from '../synthetic/model.ts';
import { GPU_FORMS } from './forms.ts';
import { sharesOf } from './shares.ts';

const [int4, , f16] = GPU_FORMS;
const rates: DeviceRates = { uploadBytesPerSecond: 20e9, downloadBytesPerSecond: 10e9, answerSeconds: 50e-6, copyBytesPerSecond: 1e12, flopsPerSecond: { f32: 40e12, f16: 160e12 } };
const weights = activeWeights(spec);

it('one stream is bounded by the bytes of its weights', () => {
  const possible = 1e12 / activeBytes(weights, int4.bytes);
  expect(sharesOf(decode(1), possible / 2, { spec, form: int4, rates })).toEqual({ ofCopyRate: expect.closeTo(0.5), ofProductRate: null });
  expect(sharesOf(decode(1), possible / 2, { spec, form: f16, rates }).ofCopyRate).toBeGreaterThan(1.5);
});

it('a prompt by the products with them, in the form in which they are made', () => {
  const possible = 40e12 / promptFlops(weights);
  expect(sharesOf(prefill(512), possible, { spec, form: int4, rates })).toEqual({ ofCopyRate: null, ofProductRate: expect.closeTo(1) });
  expect(sharesOf(prefill(512), possible, { spec, form: f16, rates }).ofProductRate).toBeCloseTo(0.25);
});

it('many streams by neither alone, and nothing by a rate that the card has not', () => {
  expect(sharesOf(decode(8), 100, { spec, form: int4, rates })).toEqual({ ofCopyRate: null, ofProductRate: null });
  expect(sharesOf(prefill(512), 100, { spec, form: f16, rates: { ...rates, flopsPerSecond: { f32: 40e12, f16: null } } })).toEqual({ ofCopyRate: null, ofProductRate: null });
});
