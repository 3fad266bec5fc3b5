import { readFile } from 'node:fs/promises';
import { AppError } from '@essaim/core';

/** USER_HZ, which Linux fixes at 100 for what it tells programs (proc(5)). */
const TICKS_PER_SECOND = 100;

/** Processor time that a process took so far, in microseconds: all its threads, in its own code and in the kernel. Fails with `unavailable` where the system doesn't tell. */
export async function processorTimeUs(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch((cause: unknown) => {
    throw new AppError('unavailable', `/proc/${pid}/stat can't be read: this benchmark needs Linux, and the process must live`, { cause });
  });
  // The name, in parentheses, may hold anything; the third field of proc(5) follows it, utime and stime are the 14th and 15th.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * (1e6 / TICKS_PER_SECOND);
}
