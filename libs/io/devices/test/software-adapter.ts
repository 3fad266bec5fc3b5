import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fetchedPackage } from './debian-package.ts';

/** Debian's package with SwiftShader, a Vulkan driver that computes on the processor, and with Vulkan's loader: 32 MB to fetch. */
const PACKAGE = 'chromium-common';
const FOLDER = join('usr', 'lib', 'chromium');
const FILES = ['libvk_swiftshader.so', 'libvulkan.so.1', 'vk_swiftshader_icd.json'];

/** Variables under which a process finds SwiftShader and no other adapter, or null where there is none and none can be had, but in CI, where that is an error. Installed or fetched. */
export function softwareAdapter(): Readonly<Record<string, string>> | null {
  const installed = join('/', FOLDER);
  const root = FILES.every((file) => existsSync(join(installed, file))) ? '/' : fetchedPackage({ name: PACKAGE, files: FILES.map((file) => join(FOLDER, file)), isBackport: false });
  if (root === null && process.env['CI'] !== undefined) throw new Error('no SwiftShader: CI needs Debian\'s package chromium-common, installed or to be fetched by apt-get');
  if (root === null) return null;
  const folder = join(root, FOLDER);
  return { LD_LIBRARY_PATH: folder, VK_ICD_FILENAMES: join(folder, 'vk_swiftshader_icd.json') };
}
