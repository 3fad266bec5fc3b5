import { leaseId, LIMITS } from '@essaim/core';
import { clusterV1 } from '@essaim/contracts';
import { peerServerCredentials, type PeerSecurity } from '../bridge/security.ts';
import { type Access, accessUnder, type CallFailure, type Handlers } from '../bridge/service.ts';
import { GrpcServer, type ListenAddress } from '../grpc-server.ts';
import { latest } from '../latest.ts';
import { toWireLease, toWireModel, toWireSnapshot } from '../mapping/cluster.ts';
import { required } from '../mapping/fields.ts';
import { fromWireRegistration } from '../mapping/registration.ts';
import { fromWireReport } from '../mapping/report.ts';
import { type ControlPlaneApi } from '../services.ts';

/** How a component listens for the others. */
export interface PeerServerOptions extends ListenAddress {
  readonly tls: PeerSecurity;
  /** Told of each call that failed, with its cause, for the log. */
  readonly onFailure?: (failure: CallFailure) => void;
}

type Service = typeof clusterV1.ControlPlaneService;

const ACCESS: Access<Service> = { getModel: ['worker'], join: ['worker'], report: ['worker'], leave: ['worker'], watch: ['worker', 'gateway'] };

/** Serves the control plane to workers and gateways. Fails with `failed_precondition` when the port is taken, or without certificates beyond loopback. */
export async function serveControlPlane(api: ControlPlaneApi, { tls, ...options }: PeerServerOptions): Promise<GrpcServer> {
  const server = new GrpcServer({ ...options, credentials: peerServerCredentials(tls, options.host), receiveBytes: LIMITS.frameBytes });
  return server.add({ descriptor: clusterV1.ControlPlaneService, handlers: handlers(api), access: accessUnder(tls, ACCESS) }).listen();
}

function handlers(api: ControlPlaneApi): Handlers<Service> {
  return {
    getModel: async (_request, { signal }) => ({ model: toWireModel(await api.model(signal)) }),
    join: async ({ registration }, { signal }) => toWireLease(await api.join(fromWireRegistration(required(registration, 'registration')), signal)),
    report: async ({ report }, { signal }) => {
      await api.report(fromWireReport(required(report, 'report')), signal);
      return {};
    },
    leave: async (request, { signal }) => {
      await api.leave(leaseId(request.leaseId), signal);
      return {};
    },
    async *watch(_request, { signal, closing }) {
      const ended = AbortSignal.any([signal, closing]);
      for await (const snapshot of latest((stop) => api.watch(stop), ended)) yield { snapshot: toWireSnapshot(snapshot) };
    },
  };
}
