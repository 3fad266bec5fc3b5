import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, assert } from '@essaim/core';

const UNFINISHED = '.part';
/** Nobody writes that slowly: what was not touched for so long belongs to a process that is gone. */
const ABANDONED_MS = 3_600_000;

/** What a folder of the cache becomes. */
export interface CacheEntry {
  /** Name of the file without which the folder counts for nothing. */
  readonly file: string;
  /** Writes all files into an empty folder. */
  readonly fill: (folder: string) => Promise<void>;
}

/** Compiled pieces on disk by their digest, one folder each. Several processes may share it: a folder appears whole or not at all. */
export class CompiledCache {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Where a file of a digest lies; it exists once `holds` says so. */
  path(digest: string, file: string): string {
    assert(/^[0-9a-f]{64}$/.test(digest), 'a digest is a SHA-256');
    return join(this.#folder, digest, file);
  }

  holds(digest: string, file: string): boolean {
    return existsSync(this.path(digest, file));
  }

  /** Makes the folder of a digest. Fails with `resource_exhausted` where the disk is full, `failed_precondition` where the folder can't be written, `data_loss` where one of this digest lies there incomplete. */
  async put(digest: string, { file, fill }: CacheEntry): Promise<void> {
    const temporary = join(this.#folder, `${digest}.${randomBytes(6).toString('hex')}${UNFINISHED}`);
    try {
      await mkdir(temporary, { recursive: true, mode: 0o700 });
      await fill(temporary);
      await rename(temporary, join(this.#folder, digest));
    } catch (cause) {
      // Why it failed counts, not that there is nothing to take away.
      await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
      // Another process was faster with the same content.
      if (!this.holds(digest, file)) throw writeError(cause);
    }
  }

  /** Removes what processes that ended while they wrote have left. What can't be removed now can be later. */
  async removeAbandoned(now: Date): Promise<void> {
    const entries = await readdir(this.#folder).catch(() => []);
    for (const entry of entries.filter((name) => name.endsWith(UNFINISHED))) {
      const folder = join(this.#folder, entry);
      const touched = await touchedMs(folder).catch(() => null);
      if (touched !== null && now.getTime() - touched > ABANDONED_MS) await rm(folder, { recursive: true, force: true }).catch(() => undefined);
    }
  }
}

/** When a folder, or a file in it, last changed. */
async function touchedMs(folder: string): Promise<number> {
  const files = (await readdir(folder)).map((file) => join(folder, file));
  return Math.max(...(await Promise.all([folder, ...files].map((path) => stat(path)))).map(({ mtimeMs }) => mtimeMs));
}

function writeError(cause: unknown): AppError {
  const { code } = cause as NodeJS.ErrnoException;
  if (cause instanceof AppError || code === undefined) return AppError.from(cause);
  if (code === 'ENOSPC') return new AppError('resource_exhausted', 'the disk of the state folder is full: free some space or give --state-dir a larger disk', { cause });
  // A folder of the digest is there, but not with its file: no writer leaves one like that.
  if (code === 'ENOTEMPTY') return new AppError('data_loss', 'a compiled piece in the cache lost a file: delete the cache folder in the state folder and start again', { cause });
  return new AppError('failed_precondition', `the folder of compiled pieces can't be written (${code}): give --state-dir a folder that this user may write to`, { cause });
}
