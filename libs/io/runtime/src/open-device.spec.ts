import { expect, it } from 'vitest';
import { OpenDevice } from './open-device.ts';

it('a device counts what is asked of it, and the time of answers alone', () => {
  const device = new OpenDevice({ provider: 'webgpu', index: 0 });
  device.count({ tookMs: 0.25, uploadedBytes: 100, downloadedBytes: 0 });
  device.count({ tookMs: 1.5, uploadedBytes: 8, downloadedBytes: 64 });
  expect(device.use).toEqual({ runs: 2, answers: 1, waited: 1_500, uploadedBytes: 108, downloadedBytes: 64 });
});
