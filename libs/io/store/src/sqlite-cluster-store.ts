import { chmodSync, closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { AppError } from '@essaim/core';
import { type ClusterRecord, type ClusterStore } from '@essaim/membership';

/** Layout of the file; raised with each change of the schema. */
const SCHEMA_VERSION = 1;
/** Longest wait for another process that writes. Short, since the wait stops this whole process and with it every lease. */
const BUSY_MS = 250;

/** One row: this file is one cluster's. */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS cluster (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    cluster_id TEXT NOT NULL,
    epoch INTEGER NOT NULL
  ) STRICT;
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/**
 * The store of a single control plane, in a file of its own that only the owner reads; made where it does not exist.
 * Fails with `data_loss` when the file is no such store, with `failed_precondition` when a newer Essaim wrote it, with `unavailable` when it can't be opened.
 */
export function openSqliteClusterStore(file: string): ClusterStore {
  const database = openDatabase(file);
  return {
    open: (proposedId) => attempt(file, () => readOrCreate(database, proposedId)),
    commitEpoch: (epoch) => attempt(file, () => commitEpoch(database, epoch)),
    close: () => attempt(file, () => database.close()),
  };
}

function openDatabase(file: string): DatabaseSync {
  let database: DatabaseSync | null = null;
  try {
    // SQLite gives its write-ahead log the mode of the file.
    closeSync(openSync(file, 'a', 0o600));
    chmodSync(file, 0o600);
    database = new DatabaseSync(file, { timeout: BUSY_MS });
    // FULL, since an epoch that a power cut takes back would be published twice.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    checkVersion(database, file);
    database.exec(SCHEMA);
    return database;
  } catch (thrown) {
    database?.close();
    throw storeError(file, thrown);
  }
}

function checkVersion(database: DatabaseSync, file: string): void {
  const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
  if (version > SCHEMA_VERSION) throw new AppError('failed_precondition', `${file} was written by a newer Essaim: use that version or another state folder`);
}

function readOrCreate(database: DatabaseSync, proposedId: string): ClusterRecord {
  database.prepare('INSERT INTO cluster VALUES (1, ?, 0) ON CONFLICT DO NOTHING').run(proposedId);
  const row = database.prepare('SELECT cluster_id, epoch FROM cluster').get()!;
  return { clusterId: String(row['cluster_id']), epoch: Number(row['epoch']) };
}

function commitEpoch(database: DatabaseSync, epoch: number): void {
  const { changes } = database.prepare('UPDATE cluster SET epoch = ? WHERE epoch < ?').run(epoch, epoch);
  if (changes !== 1) throw new AppError('aborted', `epoch ${epoch} is not new: another control plane serves this cluster; stop one of them`);
}

/** SQLite answers at once; the port is asynchronous for stores that are elsewhere. */
async function attempt<T>(file: string, action: () => T): Promise<T> {
  try {
    return action();
  } catch (thrown) {
    throw storeError(file, thrown);
  }
}

/** Primary result codes, https://sqlite.org/rescode.html: SQLITE_CORRUPT, SQLITE_NOTADB. */
const DAMAGED = [11, 26];

function storeError(file: string, thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  const code = (thrown as { errcode?: number }).errcode ?? 0;
  if (DAMAGED.includes(code & 0xff)) return new AppError('data_loss', `${file} is damaged: move it away, and the cluster starts anew under another id`, { cause: thrown });
  return new AppError('unavailable', `the store ${file} can't be used: check its folder's permissions and free space`, { cause: thrown });
}
