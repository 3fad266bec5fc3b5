import koffi, { type LibraryHandle } from 'koffi';
import { APPLICATION_INFO, apiVersion, CHAIN, DEVICE_TYPES, DRIVER, EXTENSION, FEATURES, FLOAT16, INSTANCE_CREATE_INFO, LONGEST_NAME, MAINTENANCE_3, MAINTENANCE_4, MEMORY, PCI, PROPERTIES, STORAGE_16_BIT, SUBGROUP } from './vulkan-layout.ts';

/** A graphics adapter as its Vulkan driver describes it. */
export interface Adapter {
  readonly name: string;
  readonly type: (typeof DEVICE_TYPES)[number];
  readonly vendorId: number;
  readonly deviceId: number;
  /** Bytes of the largest heap that is the device's own. */
  readonly memoryBytes: number;
  /** Bytes of the largest buffer that a shader of WebGPU's can be given. */
  readonly tensorBytes: number;
  readonly f16: boolean;
  readonly subgroupSize: number;
  readonly driver: string;
  /** domain:bus:device.function; null where the driver does not tell. */
  readonly pciBusId: string | null;
}

const SUCCESS = 0;
/** More than any host has. */
const MOST_DEVICES = 64;
const MOST_EXTENSIONS = 1_024;
/** What Dawn, which is WebGPU inside ONNX Runtime, asks of a device. */
const OLDEST = apiVersion(1, 1);
const NVIDIA = 0x10de;
/** Dawn gives shaders no more on NVIDIA's cards: some take a larger buffer for an empty one. https://crbug.com/435684920 */
const NVIDIA_BOUND_BYTES = 2 ** 31 - 4;

/**
 * The adapters that Vulkan's loader offers, in its order. Runs code of whatever drivers are installed, so a process that must not die asks another
 * one. Fails with a sentence where there is no loader or no driver.
 */
export function listAdapters(): Adapter[] {
  const vulkan = loadVulkan();
  const created = Buffer.alloc(8);
  if (vulkan.createInstance(instanceInfo(), null, created) !== SUCCESS) throw new Error('no Vulkan driver is installed');
  const instance = created.readBigUInt64LE();
  try {
    const count = Buffer.alloc(4);
    count.writeUInt32LE(MOST_DEVICES);
    const devices = Buffer.alloc(8 * MOST_DEVICES);
    if (vulkan.enumerateDevices(instance, count, devices) < SUCCESS) throw new Error('the Vulkan driver lists no adapters');
    const handles = Array.from({ length: count.readUInt32LE() }, (_, nth) => devices.readBigUInt64LE(8 * nth));
    return handles.flatMap((device) => describe(vulkan, device) ?? []);
  } finally {
    vulkan.destroyInstance(instance, null);
  }
}

type Vulkan = ReturnType<typeof loadVulkan>;

function loadVulkan() {
  const library = load();
  return {
    createInstance: library.func('int32_t vkCreateInstance(void *info, void *allocator, void *instance)'),
    destroyInstance: library.func('void vkDestroyInstance(uint64_t instance, void *allocator)'),
    enumerateDevices: library.func('int32_t vkEnumeratePhysicalDevices(uint64_t instance, void *count, void *devices)'),
    extensions: library.func('int32_t vkEnumerateDeviceExtensionProperties(uint64_t device, void *layer, void *count, void *properties)'),
    properties: library.func('void vkGetPhysicalDeviceProperties2(uint64_t device, void *properties)'),
    features: library.func('void vkGetPhysicalDeviceFeatures2(uint64_t device, void *features)'),
    memory: library.func('void vkGetPhysicalDeviceMemoryProperties(uint64_t device, void *properties)'),
  };
}

function load(): LibraryHandle {
  try {
    return koffi.load('libvulkan.so.1');
  } catch (cause) {
    throw new Error('Vulkan\'s loader, libvulkan.so.1, is not installed', { cause });
  }
}

/** Both structures in one piece of memory, which lives as long as the call. */
function instanceInfo(): Buffer {
  const bytes = Buffer.alloc(INSTANCE_CREATE_INFO.size + APPLICATION_INFO.size);
  bytes.writeUInt32LE(INSTANCE_CREATE_INFO.type, CHAIN.type);
  bytes.writeBigUInt64LE(koffi.address(bytes) + BigInt(INSTANCE_CREATE_INFO.size), INSTANCE_CREATE_INFO.applicationInfo);
  bytes.writeUInt32LE(apiVersion(1, 2), INSTANCE_CREATE_INFO.size + APPLICATION_INFO.apiVersion);
  return bytes;
}

/** Null for a device that is too old for anybody here. */
function describe(vulkan: Vulkan, device: bigint): Adapter | null {
  const known = extensionsOf(vulkan, device);
  const [subgroup, driver, pci, allocation, buffer] = [structure(SUBGROUP), structure(DRIVER), structure(PCI), structure(MAINTENANCE_3), structure(MAINTENANCE_4)];
  const told = [subgroup, driver, allocation, ...(known.has('VK_EXT_pci_bus_info') ? [pci] : []), ...(known.has('VK_KHR_maintenance4') ? [buffer] : [])];
  const properties = chained(structure(PROPERTIES), told);
  vulkan.properties(device, properties);
  if (properties.readUInt32LE(PROPERTIES.apiVersion) < OLDEST) return null;
  const [storage, float16] = [structure(STORAGE_16_BIT), structure(FLOAT16)];
  vulkan.features(device, chained(structure(FEATURES), [storage, float16]));
  return {
    name: textAt(properties, PROPERTIES.deviceName),
    type: DEVICE_TYPES[properties.readUInt32LE(PROPERTIES.deviceType)] ?? 'other',
    vendorId: properties.readUInt32LE(PROPERTIES.vendorId),
    deviceId: properties.readUInt32LE(PROPERTIES.deviceId),
    memoryBytes: memoryOf(vulkan, device),
    tensorBytes: tensorBytesIn({ properties, allocation, buffer }),
    f16: storage.readUInt32LE(STORAGE_16_BIT.storageBuffer) === 1 && float16.readUInt32LE(FLOAT16.shaderFloat16) === 1,
    subgroupSize: subgroup.readUInt32LE(SUBGROUP.subgroupSize),
    driver: `${textAt(driver, DRIVER.name)} ${textAt(driver, DRIVER.info)}`.trim(),
    pciBusId: known.has('VK_EXT_pci_bus_info') ? busIdIn(pci) : null,
  };
}

function extensionsOf(vulkan: Vulkan, device: bigint): ReadonlySet<string> {
  const count = Buffer.alloc(4);
  count.writeUInt32LE(MOST_EXTENSIONS);
  const properties = Buffer.alloc(EXTENSION.size * MOST_EXTENSIONS);
  if (vulkan.extensions(device, null, count, properties) < SUCCESS) return new Set();
  return new Set(Array.from({ length: count.readUInt32LE() }, (_, nth) => textAt(properties, nth * EXTENSION.size + EXTENSION.name)));
}

function memoryOf(vulkan: Vulkan, device: bigint): number {
  const memory = Buffer.alloc(MEMORY.size);
  vulkan.memory(device, memory);
  const heaps = Array.from({ length: memory.readUInt32LE(MEMORY.heapCount) }, (_, nth) => MEMORY.heaps + nth * MEMORY.heapSize);
  const own = heaps.filter((at) => (memory.readUInt32LE(at + MEMORY.heapFlags) & MEMORY.deviceLocal) !== 0);
  return Math.max(0, ...own.map((at) => Number(memory.readBigUInt64LE(at))));
}

/** As Dawn finds the limits of a buffer and of what of one can be bound. */
function tensorBytesIn({ properties, allocation, buffer }: { readonly properties: Buffer; readonly allocation: Buffer; readonly buffer: Buffer }): number {
  // Zero where the driver does not know the extension.
  const mostBufferBytes = buffer.readBigUInt64LE(MAINTENANCE_4.mostBufferBytes) || allocation.readBigUInt64LE(MAINTENANCE_3.mostAllocatedBytes);
  const isNvidia = properties.readUInt32LE(PROPERTIES.vendorId) === NVIDIA;
  return Math.min(properties.readUInt32LE(PROPERTIES.mostBoundBytes), Number(mostBufferBytes), isNvidia ? NVIDIA_BOUND_BYTES : Infinity);
}

function structure({ type, size }: { readonly type: number; readonly size: number }): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.writeUInt32LE(type, CHAIN.type);
  return bytes;
}

/** The first points to the second, and so on. */
function chained(first: Buffer, others: readonly Buffer[]): Buffer {
  [first, ...others].forEach((bytes, nth) => bytes.writeBigUInt64LE(others[nth] === undefined ? 0n : koffi.address(others[nth]), CHAIN.next));
  return first;
}

function textAt(bytes: Buffer, at: number): string {
  const field = bytes.subarray(at, at + LONGEST_NAME);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end === -1 ? field.length : end);
}

function busIdIn(pci: Buffer): string {
  const hexadecimal = (at: number, digits: number): string => pci.readUInt32LE(at).toString(16).padStart(digits, '0');
  return `${hexadecimal(PCI.domain, 4)}:${hexadecimal(PCI.bus, 2)}:${hexadecimal(PCI.device, 2)}.${hexadecimal(PCI.function, 1)}`;
}
