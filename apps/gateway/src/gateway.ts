import { randomBytes, randomUUID } from 'node:crypto';
import { AppError, type Clock } from '@essaim/core';
import { type CallFailure, connectControlPlane, connectWorker, type InferenceServer, type PeerSecurity, serveInference } from '@essaim/rpc';
import { type Logger } from '@essaim/telemetry';
import { ClusterView } from './cluster/cluster-view.ts';
import { LeadPool } from './cluster/lead-pool.ts';
import { Readiness, type ReadinessState } from './cluster/readiness.ts';
import { Admission } from './generation/admission.ts';
import { Generation } from './generation/generation.ts';
import { type RequestContext } from './generation/to-request.ts';
import { inferenceApi } from './grpc/inference-api.ts';
import { serveHttp } from './http/serve-http.ts';
import { Metrics } from './metrics.ts';
import { type ServedModel } from './model/served-model.ts';
import { type GatewaySettings } from './settings.ts';

export interface GatewayOptions {
  readonly settings: Pick<GatewaySettings, 'host' | 'httpPort' | 'grpcPort'>;
  /** host:port of the control plane's gRPC. */
  readonly controlAddress: string;
  readonly model: ServedModel;
  readonly tls: PeerSecurity;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told of each change, with the epoch once a token was generated through it. */
  readonly onReadiness: (state: ReadinessState) => void;
}

export interface RunningGateway {
  readonly httpPort: number;
  readonly grpcPort: number;
  /** Takes nothing new, lets answers under way finish for `graceMs`, cuts the rest, closes everything. */
  drain(options: { readonly graceMs: number }): Promise<void>;
}

/** What is left to be written when the last answer is over. */
const CLOSE_MS = 1_000;

/** A whole gateway in this process, listening and following the control plane. Fails with `failed_precondition` when a port is taken. */
export async function startGateway(options: GatewayOptions): Promise<RunningGateway> {
  const { settings, model, tls, clock, log } = options;
  const [draining, stopped] = [new AbortController(), new AbortController()];
  const view = new ClusterView();
  const leads = new LeadPool((address) => connectWorker(address, { tls }));
  const controlPlane = connectControlPlane(options.controlAddress, { tls });
  const admission = new Admission();
  const metrics = new Metrics(() => admission.sequencesInFlight);
  const context: RequestContext = { model, newSeed: () => randomBytes(8).readBigUInt64LE() >> 1n };
  const generation = new Generation({ tokenizer: model.tokenizer, view, leads, admission, metrics, clock, log, newId: randomUUID, stopped: stopped.signal });

  const onFailure = ({ method, error }: CallFailure): void => {
    if (error.code === 'internal') log.error({ method, error }, 'a call failed');
  };
  const grpc = await serveInference(inferenceApi({ context, generation, metrics }), { host: settings.host, port: settings.grpcPort, onFailure });
  const readiness = new Readiness({ view, leads, clock, log, probeTokenId: model.bosTokenId ?? 0, onChange: (state) => tellEverybody(state, { grpc, metrics, options }) });
  const http = await serveHttp({ context, generation, readiness, metrics, clock, log }, { host: settings.host, port: settings.httpPort });
  const following = Promise.all([view.follow(controlPlane, { clock, log }, stopped.signal), leads.follow(view, stopped.signal), readiness.follow(draining.signal)]);

  return {
    httpPort: http.port,
    grpcPort: grpc.port,
    drain: async ({ graceMs }) => {
      draining.abort();
      await Promise.race([admission.close(), clock.sleep(graceMs, stopped.signal).catch(() => undefined)]);
      stopped.abort(new AppError('unavailable', 'this gateway is shutting down: use another one'));
      await Promise.all([http.close({ graceMs: CLOSE_MS }), grpc.close({ graceMs: CLOSE_MS }), following]);
      leads.close();
      controlPlane.close();
    },
  };
}

function tellEverybody(state: ReadinessState, { grpc, metrics, options }: { readonly grpc: InferenceServer; readonly metrics: Metrics; readonly options: GatewayOptions }): void {
  grpc.setHealth(state.kind === 'ready' ? 'serving' : 'not_serving');
  metrics.readyEpoch.set(state.kind === 'ready' ? state.epoch : 0);
  options.onReadiness(state);
}
