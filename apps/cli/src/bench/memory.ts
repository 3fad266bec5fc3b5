import { readFile } from 'node:fs/promises';

export interface ProcessMemory {
  /** Pages in memory; what several processes share, such as mapped weights, counts in each of them. */
  readonly residentBytes: number;
  /** The same with shared pages divided among those that share them; null where the system doesn't tell. */
  readonly proportionalBytes: number | null;
  /** The most that was ever resident. */
  readonly peakBytes: number | null;
}

/** As the kernel counts it (proc(5)); null for a process that is gone and on systems without /proc. */
export async function memoryOf(pid: number): Promise<ProcessMemory | null> {
  const residentBytes = await kibibytes(`/proc/${pid}/status`, 'VmRSS');
  if (residentBytes === null) return null;
  return {
    residentBytes,
    proportionalBytes: await kibibytes(`/proc/${pid}/smaps_rollup`, 'Pss'),
    peakBytes: await kibibytes(`/proc/${pid}/status`, 'VmHWM'),
  };
}

/** The value of a line such as "VmRSS:	  123 kB", in bytes. */
async function kibibytes(file: string, field: string): Promise<number | null> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const value = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1];
  return value === undefined ? null : Number(value) * 1024;
}
