import { type DeviceRates } from '@essaim/devices';
import { median, summarise, type Summary } from '../statistics.ts';

const UNITS = { upload: 'GB/s', download: 'GB/s', answer: 'us', copy: 'GB/s', 'product-f32': 'TFLOP/s', 'product-f16': 'TFLOP/s' } as const;
export type GpuMetric = keyof typeof UNITS;

/** What one device gives, over the rounds. */
export interface GpuRow extends Summary {
  readonly name: GpuMetric;
  readonly unit: (typeof UNITS)[GpuMetric];
}

/** A row for each rate that the device has; none without a round. */
export function gpuRows(rounds: readonly DeviceRates[]): GpuRow[] {
  const row = (name: GpuMetric, rate: (rates: DeviceRates) => number | null, scale: number): GpuRow[] => {
    const values = rounds.map(rate).filter((value) => value !== null);
    return values.length === 0 ? [] : [{ name, unit: UNITS[name], ...summarise(values.map((value) => value / scale)) }];
  };
  return [
    ...row('upload', ({ uploadBytesPerSecond }) => uploadBytesPerSecond, 1e9), ...row('download', ({ downloadBytesPerSecond }) => downloadBytesPerSecond, 1e9),
    ...row('answer', ({ answerSeconds }) => 1e6 * answerSeconds, 1), ...row('copy', ({ copyBytesPerSecond }) => copyBytesPerSecond, 1e9),
    ...row('product-f32', ({ flopsPerSecond }) => flopsPerSecond.f32, 1e12), ...row('product-f16', ({ flopsPerSecond }) => flopsPerSecond.f16, 1e12),
  ];
}

/** What models on the device are measured against: of each rate the median of at least one round. */
export function medianRates(rounds: readonly DeviceRates[]): DeviceRates {
  const of = (rate: (rates: DeviceRates) => number): number => median(rounds.map(rate));
  return {
    uploadBytesPerSecond: of(({ uploadBytesPerSecond }) => uploadBytesPerSecond), downloadBytesPerSecond: of(({ downloadBytesPerSecond }) => downloadBytesPerSecond),
    answerSeconds: of(({ answerSeconds }) => answerSeconds), copyBytesPerSecond: of(({ copyBytesPerSecond }) => copyBytesPerSecond),
    flopsPerSecond: { f32: of(({ flopsPerSecond }) => flopsPerSecond.f32), f16: rounds.some(({ flopsPerSecond }) => flopsPerSecond.f16 === null) ? null : of(({ flopsPerSecond }) => flopsPerSecond.f16!) },
  };
}
