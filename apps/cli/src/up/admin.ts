import { z } from 'zod';
import { AppError } from '@essaim/core';

/** One answer of the admin API on this machine. */
const REQUEST_MS = 5_000;

/** What `up` reads of the admin API's workers; the rest of each is for others. */
const workerView = z.object({
  id: z.string(),
  pid: z.number(),
  state: z.string(),
  residentBytes: z.number(),
  progress: z.object({ doneBytes: z.number(), totalBytes: z.number() }),
  device: z.object({ kind: z.string(), card: z.object({ index: z.number() }).nullable() }),
  hosted: z.array(z.unknown()),
});

export interface WorkerView {
  readonly id: string;
  readonly pid: number;
  readonly state: string;
  /** Such as cpu or cuda:1. */
  readonly device: string;
  readonly residentBytes: number;
  readonly progress: { readonly doneBytes: number; readonly totalBytes: number };
  /** Replicas of experts that it holds. */
  readonly experts: number;
}

/** The cluster's workers as its control plane sees them now, by id. */
export async function listWorkers(adminUrl: string, signal: AbortSignal): Promise<readonly WorkerView[]> {
  const response = await fetch(`${adminUrl}/api/v1/workers`, { signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS)]) });
  if (!response.ok) throw new AppError('unavailable', `the control plane answered ${response.status} when asked for its workers`);
  const { workers } = z.object({ workers: z.array(workerView) }).parse(await response.json());
  return workers.map(({ hosted, device, ...worker }) => ({ ...worker, device: device.card === null ? device.kind : `${device.kind}:${device.card.index}`, experts: hosted.length })).sort((a, b) => a.id.localeCompare(b.id));
}
