import { type WorkerId } from './ids.ts';
import { type ModelRef } from './model-spec.ts';

/** Where one expert may be called. A replica that is still loading is never called. */
export interface Replica {
  readonly worker: WorkerId;
  readonly state: 'loading' | 'ready';
}

/** replicas[layer][expert]: the copies of each routed expert; none in a layer without. Empty for a dense model. */
export type Placement = readonly (readonly (readonly Replica[])[])[];

export type WorkerState = 'joining' | 'loading' | 'ready' | 'draining' | 'lost';

export interface WorkerRoles {
  /** Holds the dense part and leads sequences. */
  readonly lead: boolean;
  /** Hosts routed experts. */
  readonly expert: boolean;
}

export interface WorkerPeer {
  readonly id: WorkerId;
  /** host:port of its gRPC service. */
  readonly address: string;
  readonly state: WorkerState;
  readonly roles: WorkerRoles;
  /** The same for all whose cards NVLink joins. Absent without NVLink. */
  readonly nvlinkDomain?: string;
}

/**
 * The whole desired and actual state of the cluster, published as one immutable object.
 * Readers swap it whole. A snapshot with a lower epoch than one already seen is refused.
 */
export interface ClusterSnapshot {
  readonly clusterId: string;
  readonly epoch: number;
  readonly model: ModelRef;
  readonly workers: readonly WorkerPeer[];
  readonly placement: Placement;
}

/** A pair that names one expert of the model. */
export interface ExpertKey {
  readonly layer: number;
  readonly expert: number;
}

/** Experts that a worker must host under a snapshot, in (layer, expert) order. */
export function hostedExperts(snapshot: Pick<ClusterSnapshot, 'placement'>, worker: WorkerId): ExpertKey[] {
  const keys: ExpertKey[] = [];
  snapshot.placement.forEach((experts, layer) =>
    experts.forEach((replicas, expert) => {
      if (replicas.some((replica) => replica.worker === worker)) keys.push({ layer, expert });
    }),
  );
  return keys;
}

/** True when every routed expert has a ready replica and some ready worker can lead. */
export function isServable(snapshot: ClusterSnapshot): boolean {
  return (
    snapshot.workers.some((worker) => worker.roles.lead && worker.state === 'ready') &&
    snapshot.placement.every((experts) => experts.every((replicas) => replicas.some((replica) => replica.state === 'ready')))
  );
}
