import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { dropFromMemory } from './page-cache.ts';

it.runIf(process.platform === 'linux')('a file and all files of a folder are dropped from memory, and keep what is in them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'essaim-page-cache-'));
  const file = join(folder, 'deep', 'file');
  mkdirSync(join(folder, 'deep'));
  writeFileSync(file, 'content');
  expect(await dropFromMemory(folder, new AbortController().signal)).toBe(true);
  expect(await dropFromMemory(file, new AbortController().signal)).toBe(true);
  expect(readFileSync(file, 'utf8')).toBe('content');
  rmSync(folder, { recursive: true });
});
