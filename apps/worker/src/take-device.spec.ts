import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { type TestedDevice } from '@essaim/devices';
import { createLogger } from '@essaim/telemetry';
import { assertComputes, describeDevice, takeDevice } from './take-device.ts';

const LIMITS = { threads: 2, memoryBytes: 1 << 30 };
const CARD: TestedDevice = {
  provider: 'cuda', index: 1, adapter: 'a card', kind: 'gpu', memoryBytes: 80e9, tensorBytes: null, f16: true, subgroupSize: 32, driver: '1', pciBusId: '0000:2a:00.0',
  nvlink: { domain: '0000:18:00.0', peers: ['0000:18:00.0'], bytesPerSecond: null }, fault: null, uploadBytesPerSecond: 25e9, environment: {},
};

it('a device without float16 is not asked to compute in it', () => {
  for (const f16 of [true, null]) expect(() => assertComputes({ ...CARD, f16 }, 'f16')).not.toThrow();
  expect(() => assertComputes({ ...CARD, f16: false }, 'f32')).not.toThrow();
  expect(() => assertComputes({ ...CARD, f16: false }, 'f16')).toThrow('the device cuda:1 (a card) does not compute in float16: leave out --compute-dtype f16, or choose another --device');
});

describe('what a worker says of its device', () => {
  it('is where its card is among others, its NVLink domain named apart from those of other hosts', () => {
    expect(describeDevice(CARD, LIMITS)).toEqual({
      kind: 'cuda', name: 'a card', ...LIMITS, card: { index: 1, pciBusId: '0000:2a:00.0', nvlinkDomain: `${hostname()}/0000:18:00.0`, uploadBytesPerSecond: 25e9 },
    });
    expect(describeDevice({ ...CARD, nvlink: null }, LIMITS).card).toMatchObject({ nvlinkDomain: null });
  });

  it('has no card where it is the processor, which is taken without asking anybody', async () => {
    const device = await takeDevice({ kind: 'named', provider: 'cpu', index: 0 }, createLogger({ component: 'test', level: 'silent' }));
    expect(describeDevice(device, LIMITS)).toEqual({ kind: 'cpu', name: expect.any(String), ...LIMITS, card: null });
  });
});
