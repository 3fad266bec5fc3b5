import { setTimeout as sleep } from 'node:timers/promises';
import { listWorkers } from './admin.ts';
import { type Cluster } from './cluster.ts';
import { type Report } from './report.ts';

const POLL_MS = 150;

/** Shows how far the workers are until the cluster has generated its first token. Returns the placement's epoch. */
export async function showLoading(cluster: Cluster, report: Report, signal: AbortSignal): Promise<number> {
  const over = new AbortController();
  const polling = poll(cluster.addresses.admin, report, AbortSignal.any([signal, over.signal]));
  try {
    return await cluster.ready(signal);
  } finally {
    over.abort();
    await polling;
    report.loadingEnded();
  }
}

async function poll(adminUrl: string, report: Report, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      report.loading(await listWorkers(adminUrl, signal));
      await sleep(POLL_MS, undefined, { signal });
    } catch {
      // Only a picture of the progress: whether the cluster comes up is told by its processes.
      await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}
