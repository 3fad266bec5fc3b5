import { execFile } from 'node:child_process';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AppError } from '@essaim/core';

/** llama.cpp as prebuilt for Node.js; MIT. Figures belong to a version: change it in a commit of its own. */
export const LLAMA_PACKAGE = { name: 'node-llama-cpp', version: '3.22.1' } as const;

/** Which package has the processor's binary for a platform of Node's. */
const BINARIES: Readonly<Record<string, string>> = {
  'linux-x64': '@node-llama-cpp/linux-x64',
  'linux-arm64': '@node-llama-cpp/linux-arm64',
  'darwin-x64': '@node-llama-cpp/mac-x64',
  'darwin-arm64': '@node-llama-cpp/mac-arm64-metal',
};

const INSTALL_TIMEOUT_MS = 5 * 60_000;

/**
 * The library's entry file, installed below `cacheFolder` unless it is there. Only the processor's binary is installed, not those of every
 * GPU, and no package's script runs. Fails with `unavailable` where npm can't.
 */
export async function installLlama(cacheFolder: string, signal: AbortSignal): Promise<string> {
  const { name, version } = LLAMA_PACKAGE;
  const folder = join(cacheFolder, `${name}-${version}`);
  const entry = join(folder, 'node_modules', name, 'dist', 'index.js');
  if (await stat(entry).catch(() => null)) return entry;
  const unfinished = `${folder}.part`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  try {
    await npmInstall(unfinished, [`${name}@${version}`, `${binaryPackage()}@${version}`], signal);
    await rename(unfinished, folder);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return entry;
}

function binaryPackage(): string {
  const platform = `${process.platform}-${process.arch}`;
  const binary = BINARIES[platform];
  if (binary === undefined) throw new AppError('unimplemented', `there is no prebuilt llama.cpp to compare with on ${platform}: measure on ${Object.keys(BINARIES).join(', ')}`);
  return binary;
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
