import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { cudaLibraries } from './cuda-libraries.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

it.skipIf(process.platform !== 'linux' || spawnSync('python3', ['--version']).status !== 0)('finds what NVIDIA packs for Python, after what is looked for already (skipped without Python)', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'essaim-cuda-'));
  mkdirSync(join(folder, 'nvidia', 'cu13', 'lib'), { recursive: true });
  vi.stubEnv('PYTHONPATH', folder);
  vi.stubEnv('LD_LIBRARY_PATH', '/opt/lib');
  expect(((await cudaLibraries('python3'))['LD_LIBRARY_PATH'] ?? '').split(':')).toEqual(expect.arrayContaining(['/opt/lib', join(folder, 'nvidia', 'cu13', 'lib')]));
  rmSync(folder, { recursive: true });
});

it('changes nothing without that Python', async () => {
  expect(await cudaLibraries('python-that-is-not-there')).toEqual({});
});
