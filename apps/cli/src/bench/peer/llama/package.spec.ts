import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { installLlama, LLAMA_PACKAGE } from './package.ts';

let cacheFolder: string;
beforeEach(() => {
  cacheFolder = mkdtempSync(join(tmpdir(), 'essaim-package-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(cacheFolder, { recursive: true });
});

const { signal } = new AbortController();

it('a registry that can\'t be reached is named in one sentence, and nothing is left', async () => {
  vi.stubEnv('npm_config_registry', 'http://127.0.0.1:9/');
  vi.stubEnv('npm_config_fetch_retries', '0');
  vi.stubEnv('npm_config_cache', join(cacheFolder, 'npm'));
  await expect(installLlama(join(cacheFolder, 'peer'), 'processor', signal)).rejects.toMatchObject({ code: 'unavailable', message: expect.stringMatching(/^npm could not install node-llama-cpp@\S+ and @node-llama-cpp\/\S+ \(code ECONNREFUSED\): check that npm and its registry/) as string });
  expect(readdirSync(join(cacheFolder, 'peer'))).toEqual([]);
});

it('a machine without npm is told so', async () => {
  vi.stubEnv('PATH', cacheFolder);
  await expect(installLlama(cacheFolder, 'processor', signal)).rejects.toThrow(/there is no npm in the path/);
});

it('what is installed is not asked for again', async () => {
  const entry = join(cacheFolder, `${LLAMA_PACKAGE.name}-${LLAMA_PACKAGE.version}`, 'node_modules', LLAMA_PACKAGE.name, 'dist', 'index.js');
  mkdirSync(join(entry, '..'), { recursive: true });
  writeFileSync(entry, '');
  vi.stubEnv('PATH', cacheFolder);
  expect(await installLlama(cacheFolder, 'processor', signal)).toBe(entry);
});

it.each([['cuda', 'linux-x64-cuda@3', 'linux-x64-cuda-ext@3'], ['vulkan', 'linux-x64-vulkan@3', null]] as const)('a card has packages of its own: %s', async (build, first, second) => {
  vi.stubEnv('npm_config_registry', 'http://127.0.0.1:9/');
  vi.stubEnv('npm_config_fetch_retries', '0');
  vi.stubEnv('npm_config_cache', join(cacheFolder, 'npm'));
  vi.spyOn(process, 'platform', 'get').mockReturnValue('linux');
  vi.spyOn(process, 'arch', 'get').mockReturnValue('x64');
  const { message } = await installLlama(join(cacheFolder, 'peer'), build, signal).then(() => expect.unreachable(), (thrown: Error) => thrown);
  expect(message).toContain(` and @node-llama-cpp/${first}`);
  if (second !== null) expect(message).toContain(` and @node-llama-cpp/${second}`);
});

it('a platform without a build is told where there is one', async () => {
  vi.spyOn(process, 'platform', 'get').mockReturnValue('linux');
  vi.spyOn(process, 'arch', 'get').mockReturnValue('arm64');
  await expect(installLlama(cacheFolder, 'vulkan', signal)).rejects.toMatchObject({ code: 'unimplemented', message: 'there is no prebuilt llama.cpp for Vulkan to compare with on linux-arm64: measure on linux-x64, win32-x64' });
});
