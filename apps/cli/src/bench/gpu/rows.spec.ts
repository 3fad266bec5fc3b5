import { expect, it } from 'vitest';
import { type DeviceRates } from '@essaim/devices';
import { gpuRows } from './rows.ts';

const rates = (factor: number, f16: number | null): DeviceRates => ({ uploadBytesPerSecond: 20e9 * factor, downloadBytesPerSecond: 10e9 * factor, answerSeconds: 2 ** -10 * factor, copyBytesPerSecond: 2e12 * factor, flopsPerSecond: { f32: 40e12 * factor, f16 } });

it('has medians over the rounds', () => {
  expect(gpuRows([rates(3, 4e14), rates(1, 2e14), rates(2, 3e14)]).map(({ name, unit, median, min, max }) => [name, median, min, max, unit])).toEqual([
    ['upload', 40, 20, 60, 'GB/s'], ['download', 20, 10, 30, 'GB/s'], ['answer', 1953.125, 976.5625, 2929.6875, 'us'], ['copy', 4000, 2000, 6000, 'GB/s'], ['product-f32', 80, 40, 120, 'TFLOP/s'], ['product-f16', 300, 200, 400, 'TFLOP/s'],
  ]);
});

it('has no row for what a device lacks, and none at all without a device', () => {
  expect(gpuRows([rates(1, null)]).map(({ name }) => name)).toEqual(['upload', 'download', 'answer', 'copy', 'product-f32']);
  expect(gpuRows([])).toEqual([]);
});
