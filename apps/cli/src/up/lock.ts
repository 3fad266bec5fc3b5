import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@essaim/core';

/** Held while a cluster writes into a state folder. */
export interface Lock {
  release(): void;
}

interface Holder {
  readonly pid: number;
  /** Start of that process in clock ticks since boot, so that a recycled pid is not taken for it; null where the system doesn't tell. */
  readonly startTicks: string | null;
}

/** Takes the folder's lock file, also over from a process that is gone. A refusal names the process that holds it. */
export function acquireLock(folder: string): Lock {
  const file = join(folder, 'lock');
  if (!create(file)) {
    const holder = readHolder(file);
    if (holder && isAlive(holder)) {
      throw new AppError('failed_precondition', `a cluster (pid ${holder.pid}) already runs in ${folder}: stop it or give --state-dir another folder`);
    }
    unlinkSync(file);
    if (!create(file)) throw new AppError('aborted', `another cluster just started in ${folder}: give --state-dir another folder`);
  }
  return { release: () => unlinkSync(file) };
}

/** True when the process that locked `folder` was killed before it could give the lock back. */
export function isAbandoned(folder: string): boolean {
  const holder = readHolder(join(folder, 'lock'));
  return holder !== null && !isAlive(holder);
}

function create(file: string): boolean {
  const holder: Holder = { pid: process.pid, startTicks: startTicksOf(process.pid) };
  try {
    writeFileSync(file, JSON.stringify(holder), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readHolder(file: string): Holder | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Holder;
  } catch {
    return null;
  }
}

function isAlive({ pid, startTicks }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return startTicks === startTicksOf(pid);
}

/** Field 22 of /proc/PID/stat (proc(5)); the name in field 2 may itself hold spaces and parentheses. */
function startTicksOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}
