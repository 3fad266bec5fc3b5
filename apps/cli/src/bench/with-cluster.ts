import { performance } from 'node:perf_hooks';
import { AppError } from '@essaim/core';
import { mintCertificates } from '../up/certificates.ts';
import { Cluster } from '../up/cluster.ts';
import { type UpOptions } from '../up/options.ts';
import { openStateFolder } from '../up/state-folder.ts';

/** A cluster that can answer. */
export interface RunningCluster {
  readonly cluster: Cluster;
  /** From starting its first process until a token came out of it. */
  readonly startMs: number;
}

type Use<T> = (running: RunningCluster, signal: AbortSignal) => Promise<T>;

/** From the start until a token came out; compiling the synthetic model takes a minute or two on a small machine. */
const START_TIMEOUT_MS = 30 * 60_000;
const USE_TIMEOUT_MS = 30 * 60_000;

/**
 * Brings a cluster up, hands it to `use`, and stops it whatever happens. Fails as soon as one of its processes ends, a worker included:
 * figures of a cluster that heals itself are not the figures asked for. Aborting `stop` kills it.
 */
export function withCluster<T>(options: UpOptions, use: Use<T>, stop: AbortSignal): Promise<T> {
  return run(options, (running, signal) => Promise.race([use(running, signal), untilAnyIsLost(running.cluster)]), stop);
}

/** The same, but workers may end as long as one is left. */
export function withLeavingWorker<T>(options: UpOptions, use: Use<T>, stop: AbortSignal): Promise<T> {
  return run(options, (running, signal) => Promise.race([use(running, signal), untilBroken(running.cluster, () => undefined)]), stop);
}

async function run<T>(options: UpOptions, use: Use<T>, stop: AbortSignal): Promise<T> {
  const folder = openStateFolder(options.stateDirectory, 'run');
  const cluster = new Cluster(options, folder);
  const over = new AbortController();
  try {
    await mintCertificates(folder.tls, { workerIds: cluster.workerIds, host: options.host });
    const startMs = await start(cluster, AbortSignal.any([stop, AbortSignal.timeout(START_TIMEOUT_MS)]));
    const signal = AbortSignal.any([stop, over.signal, AbortSignal.timeout(USE_TIMEOUT_MS)]);
    return await use({ cluster, startMs }, signal);
  } finally {
    over.abort();
    await cluster.stop(stop);
    folder.close();
  }
}

async function start(cluster: Cluster, signal: AbortSignal): Promise<number> {
  const beganMs = performance.now();
  await cluster.start(signal);
  await cluster.ready(signal);
  return performance.now() - beganMs;
}

/** Never resolves. */
function untilAnyIsLost(cluster: Cluster): Promise<never> {
  const { promise: workerLost, resolve } = Promise.withResolvers<string>();
  return Promise.race([untilBroken(cluster, resolve), workerLost.then(givenUp)]);
}

/** Never resolves. */
const untilBroken = (cluster: Cluster, onWorkerLost: (sentence: string) => void): Promise<never> => cluster.untilBroken(onWorkerLost).then(givenUp);

function givenUp(sentence: string): never {
  throw new AppError('unavailable', `${sentence}; the benchmark is given up`);
}
