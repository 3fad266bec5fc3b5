import { expect, it } from 'vitest';
import { NO_TIMES, type WorkerTimes } from '@essaim/core';
import { type DeviceRates } from '@essaim/devices';
import { minus, splitOf, type StepUse, useBetween } from './step-split.ts';

const RATES: DeviceRates = { uploadBytesPerSecond: 1e9, downloadBytesPerSecond: 2e9, answerSeconds: 50e-6, copyBytesPerSecond: 1e12, flopsPerSecond: { f32: 1e13, f16: null } };
const told = (steps: number, busy: number, device: Partial<WorkerTimes['device']>): WorkerTimes => ({ ...NO_TIMES, lead: { ...NO_TIMES.lead, dense: busy, idle: 1e6 * steps }, device: { ...NO_TIMES.device, ...device }, steps });
/** Ten steps of 2 ms, in which half of the time is waited for 10 answers; 0.1 MB go up in each and 0.2 MB come down. */
const TEN: StepUse = { steps: 10, busy: 20_000, runs: 400, answers: 100, waited: 10_000, uploadedBytes: 1e6, downloadedBytes: 2e6 };

it('is of what the worker told more the second time, without its idleness', () => {
  expect(useBetween(told(3, 1_000, { runs: 5, waited: 7 }), told(13, 21_000, { runs: 405, answers: 100, waited: 10_007, uploadedBytes: 1e6, downloadedBytes: 2e6 }))).toEqual(TEN);
});

it('adds up to the step', () => {
  const split = splitOf(TEN, RATES)!;
  expect(split).toMatchObject({ steps: 10, stepMs: 2, runs: 40, answers: 10, uploadedBytes: 1e5, downloadedBytes: 2e5 });
  // Up: 0.1 ms; down: 10 answers of 0.05 ms and 0.1 ms for the bytes.
  expect(split.transferMs).toBeCloseTo(0.1 + 0.5 + 0.1);
  expect([split.deviceMs, split.hostMs]).toEqual([expect.closeTo(1 - 0.6), expect.closeTo(1 - 0.1)]);
  expect(split.deviceMs + split.hostMs + split.transferMs).toBeCloseTo(split.stepMs);
});

it('never has less than nothing of anything, where bytes would take longer than was waited', () => {
  const split = splitOf({ ...TEN, waited: 1_000, uploadedBytes: 1e9 }, RATES)!;
  expect([split.deviceMs, split.hostMs, split.transferMs]).toEqual([0, 0, expect.closeTo(2)]);
});

it('of what is decoded is what the load takes more than its prompts', () => {
  const prompts: StepUse = { steps: 2, busy: 8_000, runs: 80, answers: 20, waited: 6_000, uploadedBytes: 4e5, downloadedBytes: 1e6 };
  expect(splitOf(minus(TEN, prompts), RATES)).toMatchObject({ steps: 8, stepMs: 1.5, runs: 40, answers: 10 });
  expect(splitOf(minus(prompts, TEN), RATES)).toBeNull();
});
