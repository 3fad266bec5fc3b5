import { expect, it } from 'vitest';
import { softwareAdapter } from '../test/software-adapter.ts';
import { askProbe } from './ask-probe.ts';

const SOFTWARE = softwareAdapter();
const TINY = { copy: 1 << 12, product: 16 };

it.skipIf(SOFTWARE === null)('what bounds a model on a device is measured, float16 where it has it', async () => {
  const request = { kind: 'rates', device: { provider: 'webgpu', index: 0 }, sizes: TINY, f16: false } as const;
  const rates = await askProbe(request, { entry: new URL('../test/probe.process.ts', import.meta.url), environment: SOFTWARE! });
  expect(rates).toEqual({ uploadBytesPerSecond: expect.any(Number), downloadBytesPerSecond: expect.any(Number), answerSeconds: expect.any(Number), copyBytesPerSecond: expect.any(Number), flopsPerSecond: { f32: expect.any(Number), f16: null } });
  for (const rate of [rates.uploadBytesPerSecond, rates.downloadBytesPerSecond, rates.answerSeconds, rates.copyBytesPerSecond, rates.flopsPerSecond.f32]) expect(rate).toBeGreaterThan(0);
});
