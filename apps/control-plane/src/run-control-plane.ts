import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { readModelSpec } from '@essaim/checkpoint';
import { leaseId, type ModelSpec } from '@essaim/core';
import { openCheckpointFolder } from '@essaim/files';
import { ClusterState, type ClusterStore, planCluster } from '@essaim/membership';
import { placeExperts } from '@essaim/placement';
import { readTlsFiles, tellParent } from '@essaim/process';
import { serveControlPlane } from '@essaim/rpc';
import { openSqliteClusterStore } from '@essaim/store';
import { type Logger, systemClock } from '@essaim/telemetry';
import { serveAdmin } from './admin/admin-server.ts';
import { ClusterService } from './cluster-service.ts';
import { readSettings, type Settings } from './settings.ts';

/** How long the first placement waits for workers that are slow to come. */
const JOIN_GRACE_MS = 20_000;
/** What calls under way get when the process ends. */
const CLOSE_GRACE_MS = 2_000;

/** From the environment to a listening control plane, until told to stop; then everything is closed in the reverse order. */
export async function runControlPlane(stop: AbortSignal, logger: Logger): Promise<void> {
  const settings = readSettings();
  const spec = await readSpec(settings.model.directory);
  await using opened = new AsyncDisposableStack();
  const store = openSqliteClusterStore(join(settings.stateDirectory, 'store.sqlite'));
  opened.defer(() => store.close());
  const cluster = new ClusterService({ state: await openState(settings, spec, store), store, clock: systemClock, logger });
  const { host, model } = settings;
  const control = await serveControlPlane(cluster, { host, port: settings.controlPort, tls: readTlsFiles(), onFailure: ({ method, error }) => logger.info({ method, error }, 'a call was refused') });
  opened.defer(() => control.close({ graceMs: CLOSE_GRACE_MS }));
  await tellParent({ kind: 'control', controlPort: control.port });
  const admin = await serveAdmin({ cluster, model, spec }, { host, port: settings.adminPort, logger });
  opened.defer(() => admin.close());
  logger.info({ adminPort: admin.port, controlPort: control.port, model: model.id }, 'listening');
  await tellParent({ kind: 'listening', adminPort: admin.port });
  await cluster.run(stop);
}

async function readSpec(directory: string): Promise<ModelSpec> {
  const folder = openCheckpointFolder(directory);
  try {
    return await readModelSpec(folder);
  } finally {
    await folder.close();
  }
}

async function openState({ model, replicas, expectedWorkers }: Settings, spec: ModelSpec, store: ClusterStore): Promise<ClusterState> {
  return new ClusterState({
    record: await store.open(randomUUID()),
    plan: planCluster({ model, spec, replicas, expectedWorkers, joinGraceMs: JOIN_GRACE_MS }),
    policy: placeExperts,
    newLeaseId: () => leaseId(randomUUID()),
    startedAtMs: systemClock.nowMs(),
  });
}
