import { execFile } from 'node:child_process';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AppError } from '@essaim/core';
import { type LlamaBuild } from './protocol.ts';

/** llama.cpp as prebuilt for Node.js; MIT. Figures belong to a version: change it in a commit of its own. */
export const LLAMA_PACKAGE = { name: 'node-llama-cpp', version: '3.22.1' } as const;

/** Which packages have a build's binary for a platform of Node's. That for CUDA 13 leaves the one for CUDA 12 to a package of its own. */
const BINARIES: Readonly<Record<LlamaBuild, Readonly<Record<string, readonly string[]>>>> = {
  processor: { 'linux-x64': ['linux-x64'], 'linux-arm64': ['linux-arm64'], 'darwin-x64': ['mac-x64'], 'darwin-arm64': ['mac-arm64-metal'] },
  cuda: { 'linux-x64': ['linux-x64-cuda', 'linux-x64-cuda-ext'], 'win32-x64': ['win-x64-cuda', 'win-x64-cuda-ext'] },
  vulkan: { 'linux-x64': ['linux-x64-vulkan'], 'win32-x64': ['win-x64-vulkan'] },
  metal: { 'darwin-arm64': ['mac-arm64-metal'] },
};

/** As people call what a build is for. */
export const BUILD_NAMES: Readonly<Record<LlamaBuild, string>> = { processor: 'processors', cuda: 'CUDA', vulkan: 'Vulkan', metal: 'Metal' };

/** Those for CUDA are 320 MB to fetch. */
const INSTALL_TIMEOUT_MS = 15 * 60_000;

/**
 * The library's entry file, installed below `cacheFolder` unless it is there. Only the binary of that build is installed, not those of every
 * GPU, and no package's script runs. Fails with `unavailable` where npm can't, and with `unimplemented` where there is no such build.
 */
export async function installLlama(cacheFolder: string, build: LlamaBuild, signal: AbortSignal): Promise<string> {
  const { name, version } = LLAMA_PACKAGE;
  const folder = join(cacheFolder, `${name}-${version}${build === 'processor' ? '' : `-${build}`}`);
  const entry = join(folder, 'node_modules', name, 'dist', 'index.js');
  if (await stat(entry).catch(() => null)) return entry;
  const unfinished = `${folder}.part`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  try {
    await npmInstall(unfinished, [name, ...binaryPackages(build)].map((each) => `${each}@${version}`), signal);
    await rename(unfinished, folder);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return entry;
}

function binaryPackages(build: LlamaBuild): string[] {
  const platform = `${process.platform}-${process.arch}`;
  const binaries = BINARIES[build][platform];
  if (binaries === undefined) throw new AppError('unimplemented', `there is no prebuilt llama.cpp for ${BUILD_NAMES[build]} to compare with on ${platform}: measure on ${Object.keys(BINARIES[build]).join(', ')}`);
  return binaries.map((each) => `@node-llama-cpp/${each}`);
}

async function npmInstall(folder: string, packages: readonly string[], signal: AbortSignal): Promise<void> {
  const flags = ['--prefix', folder, '--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund', '--no-save'];
  try {
    await promisify(execFile)('npm', ['install', ...flags, ...packages], { cwd: folder, signal, timeout: INSTALL_TIMEOUT_MS });
  } catch (cause) {
    signal.throwIfAborted();
    throw new AppError('unavailable', `npm could not install ${packages.join(' and ')} (${reasonOf(cause)}): check that npm and its registry can be reached from here`, { cause });
  }
}

/** npm's first line of error that says something: "npm error code ENOTFOUND". */
function reasonOf(cause: unknown): string {
  const { stderr = '', code } = cause as { stderr?: string; code?: string | number };
  const line = stderr.split('\n').find((each) => each.startsWith('npm error'));
  return line?.replace('npm error', '').trim() ?? (code === 'ENOENT' ? 'there is no npm in the path' : 'it did not end in time');
}
