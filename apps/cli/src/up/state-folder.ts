import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AppError } from '@essaim/core';
import { acquireLock, isAbandoned } from './lock.ts';

/** Where one running cluster writes: logs, certificates, its store and the compiled models. */
export interface StateFolder {
  readonly path: string;
  readonly logs: string;
  readonly tls: string;
  close(): void;
}

/**
 * `cluster`: the state folder itself, for one cluster at a time; everything stays.
 * `run`: a folder of its own below it, removed at the end, which shares the compiled models with all others.
 */
export function openStateFolder(root: string, kind: 'cluster' | 'run'): StateFolder {
  try {
    privateFolder(join(root, 'cache'));
    return kind === 'cluster' ? open(root, () => undefined) : openRun(root);
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('permission_denied', `the state folder ${root} can't be written (${(cause as NodeJS.ErrnoException).code ?? 'unknown error'}): give --state-dir a folder of yours`, { cause });
  }
}

function openRun(root: string): StateFolder {
  const runs = privateFolder(join(root, 'runs'));
  removeAbandoned(runs);
  const path = privateFolder(join(runs, randomBytes(6).toString('hex')));
  symlinkSync(join('..', '..', 'cache'), join(path, 'cache'));
  return open(path, () => rmSync(path, { recursive: true, force: true }));
}

function open(path: string, cleanUp: () => void): StateFolder {
  const lock = acquireLock(path);
  const close = (): void => {
    lock.release();
    cleanUp();
  };
  return { path, logs: privateFolder(join(path, 'logs')), tls: privateFolder(join(path, 'tls')), close };
}

/** Runs whose process was killed before it could clean up. */
function removeAbandoned(runs: string): void {
  for (const run of readdirSync(runs)) {
    if (isAbandoned(join(runs, run))) rmSync(join(runs, run), { recursive: true, force: true });
  }
}

/** Level by level: Node's recursive mkdir never returns where the system refuses a folder with ENOENT, as /proc does. */
function privateFolder(path: string): string {
  if (!existsSync(dirname(path))) privateFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return path;
}
