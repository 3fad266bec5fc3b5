import { controlAddress, runProcess, readTlsFiles, tellParent } from '@essaim/process';
import { createLogger, systemClock } from '@essaim/telemetry';
import { type ReadinessState } from './cluster/readiness.ts';
import { startGateway } from './gateway.ts';
import { loadServedModel } from './model/served-model.ts';
import { readSettings } from './settings.ts';
import { untilAborted } from './until-aborted.ts';

/** The command line kills a gateway 15 s after asking it to stop. */
const GRACE_MS = 12_000;

const log = createLogger({ component: 'gateway', level: 'info' });

async function main(stop: AbortSignal): Promise<void> {
  const settings = readSettings();
  const model = await loadServedModel(settings.modelDirectory, { id: settings.modelId, now: new Date() });
  const gateway = await startGateway({ settings, model, controlAddress: await controlAddress(stop), tls: readTlsFiles(), clock: systemClock, log, onReadiness: tellReadiness });
  const { httpPort, grpcPort } = gateway;
  await tellParent({ kind: 'listening', httpPort, grpcPort });
  log.info({ httpPort, grpcPort }, 'listening');
  await untilAborted(stop);
  log.info('draining');
  await gateway.drain({ graceMs: GRACE_MS });
}

let wasReady = false;

function tellReadiness(state: ReadinessState): void {
  log.info(state, 'readiness');
  if (state.kind === 'not_ready' || wasReady) return;
  wasReady = true;
  void tellParent({ kind: 'ready', epoch: state.epoch });
}

await runProcess({ main, onFailure: (error) => log.fatal({ error }, 'the gateway gives up') });
