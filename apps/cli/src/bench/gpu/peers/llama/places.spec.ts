import { expect, it } from 'vitest';
import { type TestedDevice } from '@essaim/devices';
import { type Host, llamaPlaces } from './places.ts';

const DEVICE: TestedDevice = {
  provider: 'webgpu', index: 0, adapter: 'a card', kind: 'gpu', memoryBytes: 80e9, tensorBytes: null, f16: true, subgroupSize: 32, driver: '1', pciBusId: '0000:2a:00.0', nvlink: null,
  fault: null, uploadBytesPerSecond: null, environment: {},
};
const adapter = (name: string, pciBusId: string | null): Host['adapters'][number] =>
  ({ name, type: 'discrete', vendorId: 1, deviceId: 2, memoryBytes: 80e9, tensorBytes: 2e9, f16: true, subgroupSize: 32, driver: '1', pciBusId });
const gpu = (pciBusId: string, uuid: string): Host['gpus'][number] => ({ index: 0, name: 'a card', uuid, pciBusId, driver: '1', memoryBytes: 80e9, computeCapability: 9 });
const linux = (host: Partial<Host>): Host => ({ platform: 'linux', gpus: [], cuda: { LD_LIBRARY_PATH: '/cuda' }, adapters: [], ...host });

it('takes CUDA, then Vulkan, on the very card of NVIDIA\'s, whatever order each counts in', () => {
  const gpus = [gpu('0000:18:00.0', 'GPU-1'), gpu('0000:2a:00.0', 'GPU-2')];
  const adapters = [adapter('a card', '0000:2a:00.0'), adapter('a card', '0000:18:00.0')];
  expect(llamaPlaces(DEVICE, linux({ gpus, adapters }))).toEqual([
    { build: 'cuda', environment: { LD_LIBRARY_PATH: '/cuda', CUDA_VISIBLE_DEVICES: 'GPU-2' } },
    { build: 'vulkan', environment: { GGML_VK_VISIBLE_DEVICES: '0' } },
  ]);
});

it('takes Vulkan on others, under the variables that show the card', () => {
  const device = { ...DEVICE, environment: { DRI_PRIME: 'pci-0000_2a_00_0' } };
  expect(llamaPlaces(device, linux({ adapters: [adapter('another', '0000:18:00.0'), adapter('a card', '0000:2a:00.0')] }))).toEqual([
    { build: 'vulkan', environment: { DRI_PRIME: 'pci-0000_2a_00_0', GGML_VK_VISIBLE_DEVICES: '1' } },
  ]);
});

it('goes by name where a driver tells no bus id, and guesses nothing', () => {
  const device = { ...DEVICE, pciBusId: null };
  const host = linux({ gpus: [gpu('0000:2a:00.0', 'GPU-2')], adapters: [adapter('another', null), adapter('a card', null)] });
  expect(llamaPlaces(device, host)).toEqual([{ build: 'vulkan', environment: { GGML_VK_VISIBLE_DEVICES: '1' } }]);
  expect(llamaPlaces(device, linux({ adapters: [adapter('a card', null), adapter('a card', null)] }))).toEqual([]);
});

it('takes Metal on a Mac, and on Windows what llama.cpp finds', () => {
  expect(llamaPlaces({ ...DEVICE, pciBusId: null }, linux({ platform: 'darwin' }))).toEqual([{ build: 'metal', environment: {} }]);
  expect(llamaPlaces({ ...DEVICE, pciBusId: null }, linux({ platform: 'win32' }))).toEqual([{ build: 'vulkan', environment: {} }]);
});
