/**
 * Where fields of Vulkan's structures lie on 64-bit machines, in bytes: the few of the Vulkan 1.2 specification that are read or written here. The
 * structures and their numbers are part of its ABI and never change.
 */
export const APPLICATION_INFO = { size: 48, apiVersion: 44 } as const;
export const INSTANCE_CREATE_INFO = { type: 1, size: 64, applicationInfo: 24 } as const;

/** A chain of structures that the driver fills: each names its type and points to the next. */
export const CHAIN = { type: 0, next: 8, fields: 16 } as const;

export const PROPERTIES = { type: 1_000_059_001, size: 840, apiVersion: 16, vendorId: 24, deviceId: 28, deviceType: 32, deviceName: 36, mostBoundBytes: 340 } as const;
export const SUBGROUP = { type: 1_000_094_000, size: 32, subgroupSize: 16 } as const;
export const DRIVER = { type: 1_000_196_000, size: 536, name: 20, info: 276 } as const;
/** Of VK_EXT_pci_bus_info. */
export const PCI = { type: 1_000_212_000, size: 32, domain: 16, bus: 20, device: 24, function: 28 } as const;

/** Of Vulkan 1.1. */
export const MAINTENANCE_3 = { type: 1_000_168_000, size: 32, mostAllocatedBytes: 24 } as const;
/** Of VK_KHR_maintenance4. */
export const MAINTENANCE_4 = { type: 1_000_413_001, size: 24, mostBufferBytes: 16 } as const;

export const FEATURES = { type: 1_000_059_000, size: 240 } as const;
export const STORAGE_16_BIT = { type: 1_000_083_000, size: 32, storageBuffer: 16 } as const;
export const FLOAT16 = { type: 1_000_082_000, size: 24, shaderFloat16: 16 } as const;

export const MEMORY = { size: 520, heapCount: 260, heaps: 264, heapSize: 16, heapFlags: 8, deviceLocal: 1 } as const;

export const EXTENSION = { size: 260, name: 0 } as const;
/** Of names of devices and extensions, and of texts of drivers. */
export const LONGEST_NAME = 256;

/** By VkPhysicalDeviceType. */
export const DEVICE_TYPES = ['other', 'integrated', 'discrete', 'virtual', 'software'] as const;

export const apiVersion = (major: number, minor: number): number => (major << 22) | (minor << 12);
