import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fetchedPackage } from './debian-package.ts';
import { softwareAdapter } from './software-adapter.ts';

const LIBRARIES = join('usr', 'lib', 'x86_64-linux-gnu');
const VULKAN = join('usr', 'share', 'vulkan');
const [DRIVER, DESCRIPTION] = [join(LIBRARIES, 'libvulkan_lvp.so'), join(VULKAN, 'icd.d', 'lvp_icd.json')];
/** Mesa's layer for choosing a device. */
const LAYER = [join(LIBRARIES, 'libVkLayer_MESA_device_select.so'), join(VULKAN, 'implicit_layer.d', 'VkLayer_MESA_device_select.json')];

/** Mesa 22.3, which Debian 12 itself has, is refused by Dawn for want of arrays of textures: 11 MB to fetch of a later one. */
const PACKAGE = { name: 'mesa-vulkan-drivers', files: [DRIVER, DESCRIPTION, ...LAYER], isBackport: true };

export interface Lavapipe {
  /** The driver, a file. */
  readonly library: string;
  /** Variables under which a process finds this adapter and no other, the layer for choosing one, and what it once compiled for another spec. */
  readonly environment: Readonly<Record<'LD_LIBRARY_PATH' | 'VK_ICD_FILENAMES' | 'XDG_DATA_DIRS' | 'MESA_SHADER_CACHE_DIR', string>>;
}

/**
 * Mesa's Vulkan driver that computes on the processor, which has float16 and is ten times as fast as SwiftShader, behind the loader that comes with that. Null where it can't be had, but in CI, where that is
 * an error.
 */
export function lavapipe(): Lavapipe | null {
  const loader = softwareAdapter();
  const root = loader === null ? null : fetchedPackage(PACKAGE);
  const missing = root === null ? 'Debian\'s package mesa-vulkan-drivers, of its backports, to be fetched by apt-get' : missingLibrary(join(root, DRIVER));
  if (missing !== null && process.env['CI'] !== undefined) throw new Error(`no lavapipe: CI needs ${missing}`);
  if (loader === null || root === null || missing !== null) return null;
  return {
    library: join(root, DRIVER),
    environment: { LD_LIBRARY_PATH: `${loader['LD_LIBRARY_PATH']}:${join(root, LIBRARIES)}`, VK_ICD_FILENAMES: join(root, DESCRIPTION), XDG_DATA_DIRS: join(root, 'usr', 'share'), MESA_SHADER_CACHE_DIR: root },
  };
}

/** The first shared library that this one needs and this system lacks, or null. */
const missingLibrary = (library: string): string | null => /^\s*(\S+) => not found$/mu.exec(execFileSync('ldd', [library], { encoding: 'utf8' }))?.[1] ?? null;
