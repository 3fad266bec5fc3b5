import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Debian's package with SwiftShader, a Vulkan driver that computes on the processor, and with Vulkan's loader: 32 MB to fetch. */
const PACKAGE = 'chromium-common';
const ROOT = join(import.meta.dirname, '..', '..', '..', '..');
const KEPT = join(ROOT, 'node_modules', '.cache', 'swiftshader');
const FILES = ['libvk_swiftshader.so', 'libvulkan.so.1', 'vk_swiftshader_icd.json'];

/**
 * Variables under which a process finds SwiftShader and no other adapter, or null where there is none and none can be had, but in CI, where that is an error. It is what the system has
 * installed, or fetched once from Debian into node_modules/.cache, where nothing but these tests uses it.
 */
export function softwareAdapter(): Readonly<Record<string, string>> | null {
  const folder = ['/usr/lib/chromium', join(KEPT, 'usr', 'lib', 'chromium')].find(isComplete) ?? fetchPackage();
  if (folder === null && process.env['CI'] !== undefined) throw new Error('no SwiftShader: CI needs Debian\'s package chromium-common, installed or to be fetched by apt-get');
  return folder === null ? null : { LD_LIBRARY_PATH: folder, VK_ICD_FILENAMES: join(folder, 'vk_swiftshader_icd.json') };
}

const isComplete = (folder: string): boolean => FILES.every((file) => existsSync(join(folder, file)));

/** Specs that fetch at the same time do so each for itself, and the first one's is kept. */
function fetchPackage(): string | null {
  mkdirSync(join(ROOT, 'node_modules', '.cache'), { recursive: true });
  const folder = mkdtempSync(`${KEPT}-`);
  const unpacked = join(folder, 'usr', 'lib', 'chromium');
  try {
    execFileSync('apt-get', ['download', PACKAGE], { cwd: folder, stdio: 'ignore', timeout: 60_000 });
    execFileSync('sh', ['-c', `dpkg-deb --fsys-tarfile ${PACKAGE}_*.deb | tar -x ${FILES.map((file) => `./usr/lib/chromium/${file}`).join(' ')} && rm ${PACKAGE}_*.deb`], { cwd: folder, stdio: 'ignore', timeout: 60_000 });
    if (!existsSync(KEPT)) renameSync(folder, KEPT);
  } catch {
    // Another system, or no network.
  } finally {
    if (!isComplete(unpacked) || existsSync(KEPT)) rmSync(folder, { recursive: true, force: true });
  }
  return [join(KEPT, 'usr', 'lib', 'chromium')].find(isComplete) ?? null;
}
