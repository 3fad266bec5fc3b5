import { cpus, totalmem } from 'node:os';
import { AppError } from '@essaim/core';
import { askProbe } from './ask-probe.ts';
import { type DeviceChoice, deviceName } from './device-choice.ts';
import { type HostDevice, type Nvlink, type Provider, type Unusable } from './device.ts';
import { listNvidiaGpus, type NvidiaHost } from './nvidia/list-gpus.ts';
import { type NvidiaGpu, visibleGpus } from './nvidia/gpus.ts';
import { hasProviderLibrary, neededLibraries } from './onnx-libraries.ts';
import { type Adapter } from './vulkan.ts';
import { inWebgpuOrder, pinning } from './webgpu-order.ts';

export interface HostDevices {
  readonly devices: readonly TestedDevice[];
  /** Of the providers that offer no device. */
  readonly unusable: readonly Unusable[];
}

export interface TestedDevice extends HostDevice {
  /** Null where a small graph with a known answer came out right on it, in one sentence what happened otherwise. */
  readonly fault: string | null;
  /** From the host's memory to the device's, measured while nothing else was asked of it. Null where it was not. */
  readonly uploadBytesPerSecond: number | null;
  /** Variables under which a process finds this device in the place of its index. */
  readonly environment: Readonly<Record<string, string>>;
}

type DeviceOf<P extends Provider> = HostDevice & { readonly provider: P };

interface Look {
  readonly entry: URL;
  readonly nvidia: Promise<NvidiaHost>;
  readonly isWanted: (device: HostDevice) => boolean;
}

type Found = { readonly kind: 'found'; readonly devices: readonly TestedDevice[] } | { readonly kind: 'unusable'; readonly reason: string };

/** Nobody's index moves when another program decides to sort cards by speed. */
const CUDA_ORDER = { CUDA_DEVICE_ORDER: 'PCI_BUS_ID' };
/** The first with arithmetic in float16 at all. */
const F16_CAPABILITY = 5.3;
const WARP = 32;
/** What every device of WebGPU takes (maxStorageBufferBindingSize). https://www.w3.org/TR/webgpu/#limits */
const WEBGPU_TENSOR_BYTES = 128 << 20;

/**
 * What this host offers, or what of it choices name, each device tried in a process of its own, the file `entry` (see `runProbe`). Never fails: what can't
 * be used says why.
 */
export async function listDevices(entry: URL, choices: readonly DeviceChoice[] = [{ kind: 'auto' }]): Promise<HostDevices> {
  const wanted = (['webgpu', 'cuda', 'tensorrt'] as const).filter((provider) => choices.some((choice) => choice.kind === 'auto' || choice.provider === provider));
  const isWanted: Look['isWanted'] = (device) => choices.some((choice) => choice.kind === 'auto' || deviceName(choice) === deviceName(device));
  const look: Look = { entry, nvidia: wanted.length > 0 ? listNvidiaGpus() : Promise.resolve({ kind: 'none', reason: '' }), isWanted };
  const found = await Promise.all(wanted.map(async (provider) => [provider, await (provider === 'webgpu' ? findWebgpu(look) : findCuda(provider, look))] as const));
  return {
    devices: [processor(), ...found.flatMap(([, each]) => (each.kind === 'found' ? each.devices : []))],
    unusable: found.flatMap(([provider, each]) => (each.kind === 'unusable' ? [{ provider, reason: each.reason }] : [])),
  };
}

/** Its kernels prove themselves whenever they are compiled. */
function processor(): TestedDevice {
  const memoryBytes = Math.min(totalmem(), process.constrainedMemory() || Infinity);
  return { provider: 'cpu', index: 0, adapter: cpus()[0]?.model.trim() ?? 'unknown processor', kind: 'processor', memoryBytes, tensorBytes: null, f16: false, subgroupSize: null, driver: null, pciBusId: null, nvlink: null, fault: null, uploadBytesPerSecond: null, environment: {} };
}

async function findWebgpu({ entry, nvidia, isWanted }: Look): Promise<Found> {
  if (process.platform !== 'linux') return { kind: 'found', devices: [await tried(systemAdapter(), { entry })] };
  try {
    const adapters = inWebgpuOrder(await askProbe({ kind: 'adapters' }, { entry }));
    if (adapters.length === 0) return { kind: 'unusable', reason: 'the Vulkan drivers of this host list no adapter' };
    const host = await nvidia;
    const devices = adapters.map((adapter, index) => ({ adapter, device: webgpuDevice(adapter, index, host) })).filter(({ device }) => isWanted(device));
    return { kind: 'found', devices: await Promise.all(devices.map(({ adapter, device }) => tried(device, { entry, adapter, environment: device.index === 0 ? {} : pinning(adapter) }))) };
  } catch (thrown) {
    return { kind: 'unusable', reason: AppError.from(thrown).message };
  }
}

/** Where Metal or Direct3D 12 chooses, and nothing is asked before. */
const systemAdapter = (): DeviceOf<'webgpu'> => ({
  provider: 'webgpu', index: 0, adapter: process.platform === 'darwin' ? 'what Metal chooses' : 'what Direct3D 12 chooses', kind: 'gpu', memoryBytes: null, tensorBytes: WEBGPU_TENSOR_BYTES, f16: null, subgroupSize: null, driver: null, pciBusId: null, nvlink: null,
});

function webgpuDevice({ name, type, memoryBytes, tensorBytes, f16, subgroupSize, driver, pciBusId }: Adapter, index: number, nvidia: NvidiaHost): DeviceOf<'webgpu'> {
  return { provider: 'webgpu', index, adapter: name, kind: type === 'software' ? 'software' : 'gpu', memoryBytes, tensorBytes, f16, subgroupSize, driver, pciBusId, nvlink: pciBusId === null ? null : nvlinkAt(nvidia, pciBusId) };
}

function nvlinkAt(nvidia: NvidiaHost, pciBusId: string): Nvlink | null {
  if (nvidia.kind === 'none') return null;
  const gpu = nvidia.gpus.find((each) => each.pciBusId === pciBusId);
  return gpu === undefined ? null : (nvidia.nvlinks.get(gpu.index) ?? null);
}

async function findCuda(provider: 'cuda' | 'tensorrt', { entry, nvidia, isWanted }: Look): Promise<Found> {
  const host = await nvidia;
  if (host.kind === 'none') return { kind: 'unusable', reason: host.reason };
  if (!hasProviderLibrary(provider)) return { kind: 'unusable', reason: `ONNX Runtime's libonnxruntime_providers_${provider}.so is not installed: run node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install=cuda12` };
  const gpus = visibleGpus(host.gpus, process.env['CUDA_VISIBLE_DEVICES']);
  if (gpus.length === 0) return { kind: 'unusable', reason: 'CUDA_VISIBLE_DEVICES hides every GPU' };
  try {
    const missing = await askProbe({ kind: 'missing-library', names: neededLibraries(provider) }, { entry });
    if (missing !== null) return { kind: 'unusable', reason: `${missing} is not installed` };
    const devices = gpus.map((gpu, index) => cudaDevice(provider, gpu, index, host.nvlinks.get(gpu.index) ?? null)).filter(isWanted);
    return { kind: 'found', devices: await Promise.all(devices.map((device) => tried(device, { entry, environment: CUDA_ORDER }))) };
  } catch (thrown) {
    return { kind: 'unusable', reason: AppError.from(thrown).message };
  }
}

function cudaDevice(provider: 'cuda' | 'tensorrt', { name, memoryBytes, computeCapability, driver, pciBusId }: NvidiaGpu, index: number, nvlink: Nvlink | null): DeviceOf<'cuda' | 'tensorrt'> {
  return { provider, index, adapter: name, kind: 'gpu', memoryBytes, tensorBytes: null, f16: computeCapability === null ? null : computeCapability >= F16_CAPABILITY, subgroupSize: WARP, driver, pciBusId, nvlink };
}

async function tried(device: DeviceOf<Exclude<Provider, 'cpu'>>, { entry, adapter = null, environment = {} }: { readonly entry: URL; readonly adapter?: Adapter | null; readonly environment?: Readonly<Record<string, string>> }): Promise<TestedDevice> {
  try {
    const { uploadBytesPerSecond } = await askProbe({ kind: 'self-test', device: { provider: device.provider, index: device.index }, adapter }, { entry, environment });
    return { ...device, fault: null, uploadBytesPerSecond, environment };
  } catch (thrown) {
    return { ...device, fault: AppError.from(thrown).message, uploadBytesPerSecond: null, environment };
  }
}
