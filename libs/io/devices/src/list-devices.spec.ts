import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { withSmi } from '../test/cards.ts';
import { GPUS_L40S, TOPOLOGY_BRIDGE } from '../test/recorded.ts';
import { softwareAdapter } from '../test/software-adapter.ts';
import { type HostDevices, listDevices } from './list-devices.ts';
import { hasProviderLibrary } from './onnx-libraries.ts';

const SOFTWARE = softwareAdapter();
const NO_DRIVERS = { VK_ICD_FILENAMES: '/nowhere.json', VK_DRIVER_FILES: '/nowhere.json' };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'essaim-devices-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** On a host with these variables. */
function devicesWith(environment: Readonly<Record<string, string>>): Promise<HostDevices> {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  return listDevices(new URL('../test/probe.process.ts', import.meta.url));
}

describe('the devices of a host', () => {
  it('are its processor, and a reason for everything else, where there is nothing', async () => {
    const { devices, unusable } = await devicesWith({ ...NO_DRIVERS, PATH: folder });
    expect(devices).toEqual([expect.objectContaining({ provider: 'cpu', index: 0, kind: 'processor', fault: null })]);
    expect(unusable.map(({ provider, reason }) => [provider, reason])).toEqual([
      ['webgpu', expect.stringMatching(/not installed|no Vulkan driver/)], ['cuda', expect.stringContaining('nvidia-smi')], ['tensorrt', expect.stringContaining('nvidia-smi')],
    ]);
  });

  it.skipIf(hasProviderLibrary('cuda'))('tell what CUDA lacks where there are cards', async () => {
    const { unusable } = await devicesWith({ ...NO_DRIVERS, PATH: withSmi(folder, { gpus: GPUS_L40S, topology: TOPOLOGY_BRIDGE }) });
    expect(unusable).toContainEqual({ provider: 'cuda', reason: expect.stringContaining('libonnxruntime_providers_cuda.so is not installed: run node ') });
  });

  it.skipIf(SOFTWARE === null)('are adapters of Vulkan\'s drivers too, and SwiftShader runs a graph right', async () => {
    const { devices, unusable } = await devicesWith(SOFTWARE!);
    expect(devices.filter(({ provider }) => provider === 'webgpu')).toEqual([{
      provider: 'webgpu', index: 0, adapter: expect.stringContaining('SwiftShader'), kind: 'software', memoryBytes: expect.any(Number), tensorBytes: 2 ** 30, f16: false, subgroupSize: 4,
      driver: expect.stringContaining('SwiftShader'), pciBusId: null, nvlink: null, fault: null, uploadBytesPerSecond: expect.any(Number), environment: {},
    }]);
    expect(unusable.map(({ provider }) => provider)).not.toContain('webgpu');
  });
});
