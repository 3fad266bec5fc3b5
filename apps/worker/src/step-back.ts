import { readlinkSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { basename } from 'node:path';

/**
 * From now on the calling thread gets about a tenth of a processor while others want all of them. On Linux, where priorities are those of threads;
 * elsewhere they are those of processes, and nothing is changed. @see setpriority(2)
 */
export function stepBack(): void {
  if (process.platform !== 'linux') return;
  setPriority(Number(basename(readlinkSync('/proc/thread-self'))), constants.priority.PRIORITY_BELOW_NORMAL);
}
