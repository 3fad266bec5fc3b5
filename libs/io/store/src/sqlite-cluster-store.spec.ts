import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, expect, it } from 'vitest';
import { clusterStoreSuite } from '../test/cluster-store-suite.ts';
import { openSqliteClusterStore } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'essaim-store-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
const freshFile = (): string => join(folder, `${++count}.sqlite`);

clusterStoreSuite('SQLite', () => {
  const file = freshFile();
  return () => openSqliteClusterStore(file);
});

it('keeps every file it makes from other users', async () => {
  const file = freshFile();
  const store = openSqliteClusterStore(file);
  await store.open('c');
  await store.commitEpoch(1);
  const files = readdirSync(folder).filter((name) => name.startsWith(`${count}.sqlite`));
  expect(files.length).toBeGreaterThan(1);
  for (const name of files) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
  await store.close();
});

it('refuses a file that is no store, and one of a newer version, each with a sentence that names it', () => {
  const noStore = freshFile();
  writeFileSync(noStore, 'x'.repeat(4096));
  expect(() => openSqliteClusterStore(noStore)).toThrow(expect.objectContaining({ code: 'data_loss', message: expect.stringContaining(noStore) as string }));
  const newer = freshFile();
  const database = new DatabaseSync(newer);
  database.exec('PRAGMA user_version = 99');
  database.close();
  expect(() => openSqliteClusterStore(newer)).toThrow(expect.objectContaining({ code: 'failed_precondition', message: expect.stringContaining('newer Essaim') as string }));
});

it('refuses a folder that does not exist', () => {
  expect(() => openSqliteClusterStore(join(folder, 'nowhere', 'store.sqlite'))).toThrow(expect.objectContaining({ code: 'unavailable' }));
});

it('fails a commit while another process holds the file for longer than it waits, and commits it when it is free', async () => {
  const file = freshFile();
  const store = openSqliteClusterStore(file);
  await store.open('c');
  const other = new DatabaseSync(file);
  other.exec('BEGIN IMMEDIATE');
  await expect(store.commitEpoch(1)).rejects.toMatchObject({ code: 'unavailable' });
  other.exec('COMMIT');
  other.close();
  await store.commitEpoch(1);
  await store.close();
});
