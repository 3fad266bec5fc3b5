import { z } from 'zod';
import { AppError } from '@essaim/core';

const workerView = z.object({ id: z.string(), hosted: z.array(z.object({ state: z.string() })) });

/** How many experts a worker holds, and not only is to hold, as the control plane's admin API knows. */
export async function readyExperts(worker: string, adminUrl: string, signal: AbortSignal): Promise<number> {
  const response = await fetch(`${adminUrl}/api/v1/workers`, { signal });
  if (!response.ok) throw new AppError('unavailable', `the control plane answered ${response.status} when asked for its workers`);
  const { workers } = z.object({ workers: z.array(workerView) }).parse(await response.json());
  return workers.find(({ id }) => id === worker)?.hosted.filter(({ state }) => state === 'ready').length ?? 0;
}
