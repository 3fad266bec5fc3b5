import { expect, it } from 'vitest';
import { essaim } from './harness.ts';

it('essaim devices lists what this machine offers, and why not more, in the bundle too', async () => {
  const { code, stdout, stderr } = await essaim(['devices', '--json']);
  expect([code, stderr]).toEqual([0, '']);
  const { devices, unusable } = JSON.parse(stdout) as { readonly devices: readonly { readonly provider: string }[]; readonly unusable: readonly { readonly provider: string; readonly reason: string }[] };
  expect(new Set([...devices, ...unusable].map(({ provider }) => provider))).toEqual(new Set(['cpu', 'webgpu', 'cuda', 'tensorrt']));
  expect(devices[0]).toMatchObject({ provider: 'cpu', fault: null });
});
