import { join } from 'node:path';
import koffi, { type LibraryHandle } from 'koffi';
import { type Device } from '@essaim/runtime';
import { lavapipe } from '../../libs/io/devices/test/lavapipe.ts';
import { softwareAdapter } from '../../libs/io/devices/test/software-adapter.ts';

const WEBGPU: Device = { provider: 'webgpu', index: 0 };

/** Vulkan's loader and drivers that are found by name: libraries that nobody refers to are unloaded. */
const libraries: LibraryHandle[] = [];

/** WebGPU on a software adapter without float16; null where there is none. */
export function softwareDevice(): Device | null {
  const adapter = softwareAdapter();
  return adapter === null ? null : showAdapter(adapter);
}

/** WebGPU on one that has float16, likewise. */
export function float16Device(): Device | null {
  const adapter = lavapipe();
  return adapter === null ? null : showAdapter(adapter.environment, adapter.library);
}

/** WebGPU on whichever of both is faster. */
export const quickDevice = (): Device | null => float16Device() ?? softwareDevice();

/** The one that these variables name, from now on the only one that this process sees, with its driver where they don't say where that lies. */
export function showAdapter(adapter: Readonly<Record<string, string>>, driver: string | null = null): Device {
  // A process finds libraries by the path that it was started with, so these are opened here: whoever asks for one by its name later gets the same. Vitest's `process.env` is an object of its own, which no library sees.
  const setenv = koffi.load('libc.so.6').func('int setenv(const char *name, const char *value, int overwrite)');
  for (const name of ['VK_ICD_FILENAMES', 'MESA_SHADER_CACHE_DIR']) if (adapter[name] !== undefined) setenv(name, adapter[name], 1);
  const loader = join(adapter['LD_LIBRARY_PATH']!.split(':')[0]!, 'libvulkan.so.1');
  if (libraries.length === 0) libraries.push(...[loader, driver].flatMap((path) => (path === null ? [] : koffi.load(path))));
  return WEBGPU;
}
