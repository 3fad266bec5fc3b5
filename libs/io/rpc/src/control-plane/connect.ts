import { LIMITS } from '@essaim/core';
import { clusterV1 } from '@essaim/contracts';
import { Channel } from '../bridge/channel.ts';
import { peerChannelCredentials, type PeerSecurity } from '../bridge/security.ts';
import { latest } from '../latest.ts';
import { fromWireLease, fromWireModel, fromWireSnapshot } from '../mapping/cluster.ts';
import { required } from '../mapping/fields.ts';
import { toWireRegistration } from '../mapping/registration.ts';
import { toWireReport } from '../mapping/report.ts';
import { type ControlPlaneApi } from '../services.ts';

export interface PeerConnectionOptions {
  readonly tls: PeerSecurity;
}

export interface Connection {
  /** host:port of the other side. */
  readonly address: string;
  /** Ends the connection; calls under way fail. */
  close(): void;
}

/** What a lease message is worth: after this time the lease that it renews is gone, but that of a card. */
const TIMEOUT_MS = LIMITS.leaseTtlMs;

/** The control plane from afar. Connects when first used, again when lost; fails with `unavailable` meanwhile. */
export function connectControlPlane(address: string, { tls }: PeerConnectionOptions): ControlPlaneApi & Connection {
  const channel = new Channel(address, peerChannelCredentials(tls, { address, role: 'control-plane' }));
  const { getModel, join, report, leave, watch } = clusterV1.ControlPlaneService.method;
  return {
    address,
    model: async (signal) => fromWireModel(required((await channel.unary(getModel, {}, { signal, timeoutMs: TIMEOUT_MS })).model, 'model')),
    join: async (registration, signal) => fromWireLease(await channel.unary(join, { registration: toWireRegistration(registration) }, { signal, timeoutMs: TIMEOUT_MS })),
    report: async (state, signal) => void (await channel.unary(report, { report: toWireReport(state) }, { signal, timeoutMs: TIMEOUT_MS })),
    leave: async (leaseId, signal) => void (await channel.unary(leave, { leaseId }, { signal, timeoutMs: TIMEOUT_MS })),
    async *watch(signal) {
      const responses = latest((stop) => channel.serverStream(watch, {}, { signal: stop }), signal);
      for await (const { snapshot } of responses) yield fromWireSnapshot(required(snapshot, 'snapshot'));
    },
    close: () => channel.close(),
  };
}
