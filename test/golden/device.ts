import { join } from 'node:path';
import koffi, { type LibraryHandle } from 'koffi';
import { type Device } from '@essaim/runtime';
import { softwareAdapter } from '../../libs/io/devices/test/software-adapter.ts';

const WEBGPU: Device = { provider: 'webgpu', index: 0 };

/** Vulkan's loader: one that nobody refers to is unloaded. */
let vulkan: LibraryHandle | null = null;

/** WebGPU on a software adapter; null where there is none. */
export function softwareDevice(): Device | null {
  const adapter = softwareAdapter();
  return adapter === null ? null : showAdapter(adapter);
}

/** The one that these variables name, from now on the only one that this process sees. */
export function showAdapter(adapter: Readonly<Record<string, string>>): Device {
  // A process finds libraries by the path that it was started with, so Vulkan's is opened here: whoever asks for it by its name later gets the same. Vitest's `process.env` is an object of its own, which no library sees.
  koffi.load('libc.so.6').func('int setenv(const char *name, const char *value, int overwrite)')('VK_ICD_FILENAMES', adapter['VK_ICD_FILENAMES'], 1);
  vulkan ??= koffi.load(join(adapter['LD_LIBRARY_PATH']!, 'libvulkan.so.1'));
  return WEBGPU;
}
