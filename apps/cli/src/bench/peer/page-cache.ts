import { execFile } from 'node:child_process';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const DROP_TIMEOUT_MS = 60_000;

/** Takes every file below `path` (or that file) out of the system's memory, so that the next reader waits for the disk. Returns false where that can't be done. */
export async function dropFromMemory(path: string, signal: AbortSignal): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  for (const file of await filesBelow(path)) {
    await using handle = await open(file, 'r');
    // What is not on the disk yet would stay in memory.
    await handle.datasync();
    // GNU dd asks the kernel (posix_fadvise, POSIX_FADV_DONTNEED) to forget the whole file when it copies nothing of it.
    await promisify(execFile)('dd', [`if=${file}`, 'iflag=nocache', 'count=0'], { signal, timeout: DROP_TIMEOUT_MS });
  }
  return true;
}

async function filesBelow(path: string): Promise<string[]> {
  if ((await stat(path)).isFile()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
