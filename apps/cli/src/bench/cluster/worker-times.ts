import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { AppError, type WorkerTimes } from '@essaim/core';

const REQUEST_MS = 5_000;
const POLL_MS = 50;
/** A worker reports every second. */
const FRESH_MS = 30_000;

const count = z.number().int().nonnegative();
const microseconds = count;
const times = z.object({
  lead: z.object({ schedule: microseconds, dense: microseconds, dispatch: microseconds, experts: microseconds, serialise: microseconds, remote: microseconds, sample: microseconds, idle: microseconds }),
  expert: z.object({ queue: microseconds, compute: microseconds, serialise: microseconds }),
  device: z.object({ runs: count, answers: count, waited: microseconds, uploadedBytes: count, downloadedBytes: count }),
  steps: count,
});
const list = z.object({ workers: z.array(z.object({ id: z.string(), times })) });

/** By worker. */
export type TimesOfWorkers = ReadonlyMap<string, WorkerTimes>;

/**
 * What each worker told after this was called. The next report may have been under way already, the one after it was not. Fails with
 * `deadline_exceeded` when a worker tells nothing new.
 */
export async function freshTimes(adminUrl: string, signal: AbortSignal): Promise<TimesOfWorkers> {
  const deadline = AbortSignal.timeout(FRESH_MS);
  const either = AbortSignal.any([signal, deadline]);
  try {
    return await newer(await newer(await readTimes(adminUrl, either), adminUrl, either), adminUrl, either);
  } catch (thrown) {
    if (deadline.aborted && !signal.aborted) throw new AppError('deadline_exceeded', `a worker told nothing new within ${FRESH_MS} ms: see its log`, { cause: thrown });
    throw thrown;
  }
}

async function newer(seen: TimesOfWorkers, adminUrl: string, signal: AbortSignal): Promise<TimesOfWorkers> {
  for (;;) {
    const read = await readTimes(adminUrl, signal);
    if ([...read].every(([id, each]) => told(each) > told(seen.get(id)))) return read;
    await delay(POLL_MS, undefined, { signal });
  }
}

/** Grows with each report: the phases of a lead add up to the time that passed. */
const told = (each: WorkerTimes | undefined): number => Object.values(each?.lead ?? {}).reduce((sum, phase) => sum + phase, 0);

async function readTimes(adminUrl: string, signal: AbortSignal): Promise<TimesOfWorkers> {
  const response = await fetch(`${adminUrl}/api/v1/workers`, { signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS)]) });
  if (!response.ok) throw new AppError('unavailable', `the control plane answered ${response.status} when asked for its workers`);
  return new Map(list.parse(await response.json()).workers.map(({ id, times }) => [id, times]));
}
