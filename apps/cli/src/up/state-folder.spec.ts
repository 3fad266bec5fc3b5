import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openStateFolder } from './state-folder.ts';

let parent: string;
let root: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'essaim-state-'));
  root = join(parent, 'essaim');
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

it('makes a folder that only its owner can read', () => {
  const folder = openStateFolder(root, 'cluster');
  for (const path of [root, folder.tls, folder.logs]) expect(statSync(path).mode & 0o777).toBe(0o700);
  folder.close();
});

it.each(['/proc/essaim', join(import.meta.filename, 'essaim')])('refuses %s, where nothing can be written, in one sentence', (unwritable) => {
  expect(() => openStateFolder(unwritable, 'cluster')).toThrow(`the state folder ${unwritable} can't be written`);
});

it('lets one cluster in at a time, and the next one after it', () => {
  const first = openStateFolder(root, 'cluster');
  expect(() => openStateFolder(root, 'cluster')).toThrow(`a cluster (pid ${process.pid}) already runs in ${root}`);
  first.close();
  openStateFolder(root, 'cluster').close();
});

it.each([
  ['of a process that is gone', JSON.stringify({ pid: 2 ** 22 + 1, startTicks: '1' })],
  ['of a pid that another process has now', JSON.stringify({ pid: process.pid, startTicks: '1' })],
  ['that was cut off', '{"pid'],
])('takes over a lock %s', (_, content) => {
  mkdirSync(root);
  writeFileSync(join(root, 'lock'), content);
  openStateFolder(root, 'cluster').close();
  expect(existsSync(join(root, 'lock'))).toBe(false);
});

it('runs go beside a cluster and each other, share its compiled models and leave nothing', () => {
  const cluster = openStateFolder(root, 'cluster');
  const runs = [openStateFolder(root, 'run'), openStateFolder(root, 'run')];
  writeFileSync(join(root, 'cache', 'compiled'), '');
  for (const run of runs) {
    expect(realpathSync(join(run.path, 'cache', 'compiled'))).toBe(realpathSync(join(root, 'cache', 'compiled')));
    run.close();
  }
  expect(readdirSync(join(root, 'runs'))).toEqual([]);
  expect(existsSync(join(root, 'cache', 'compiled'))).toBe(true);
  cluster.close();
});

it('clears away a run that was killed', () => {
  const abandoned = join(root, 'runs', 'killed');
  mkdirSync(abandoned, { recursive: true });
  writeFileSync(join(abandoned, 'lock'), JSON.stringify({ pid: process.pid, startTicks: '1' }));
  openStateFolder(root, 'run').close();
  expect(existsSync(abandoned)).toBe(false);
});

it('says which folder it may not write', () => {
  writeFileSync(root, 'a file');
  expect(() => openStateFolder(root, 'cluster')).toThrow(/can't be written \((ENOTDIR|EEXIST)\): give --state-dir a folder of yours/);
});
