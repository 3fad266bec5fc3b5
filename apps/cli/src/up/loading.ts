import { setTimeout as sleep } from 'node:timers/promises';
import { listWorkers, type WorkerView } from './admin.ts';
import { type Cluster } from './cluster.ts';
import { type Report } from './report.ts';

const POLL_MS = 150;

/** Shows whoever looks how far the workers are until the cluster has generated its first token. Returns the placement's epoch. */
export async function showLoading(cluster: Cluster, report: Report, signal: AbortSignal): Promise<number> {
  const over = new AbortController();
  const polling = report.loading === null ? null : poll(cluster.addresses.admin, report.loading, AbortSignal.any([signal, over.signal]));
  try {
    return await cluster.ready(signal);
  } finally {
    over.abort();
    await polling;
    report.loadingEnded();
  }
}

async function poll(adminUrl: string, show: (workers: readonly WorkerView[]) => void, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
    // Only a picture of the progress: whether the cluster comes up is told by its processes.
    await listWorkers(adminUrl, signal).then(show).catch(() => undefined);
  }
}
