import { type MessageInitShape } from '@bufbuild/protobuf';
import {
  type ClusterSnapshot, type Lease, leaseId, type ModelRef, type Placement, type Replica, type WeightDtype, workerId, type WorkerPeer, type WorkerState,
} from '@essaim/core';
import { clusterV1 } from '@essaim/contracts';
import { type EnumMap, enumMap, required, toNumber } from './fields.ts';
import { fromWireRoles } from './registration.ts';

export const workerState: EnumMap<WorkerState, clusterV1.WorkerState> = enumMap(clusterV1.WorkerState, 'worker state');
const replicaState: EnumMap<Replica['state'], clusterV1.ReplicaState> = enumMap(clusterV1.ReplicaState, 'replica state');
const weightDtype: EnumMap<WeightDtype, clusterV1.WeightDtype> = enumMap(clusterV1.WeightDtype, 'weight dtype');

export const toWireLease = ({ id, ttlMs }: Lease): MessageInitShape<typeof clusterV1.JoinResponseSchema> => ({ leaseId: id, leaseTtlMs: ttlMs });

export const fromWireLease = (response: clusterV1.JoinResponse): Lease => ({ id: leaseId(response.leaseId), ttlMs: response.leaseTtlMs });

export const toWireSnapshot = (snapshot: ClusterSnapshot): MessageInitShape<typeof clusterV1.ClusterSnapshotSchema> => ({
  clusterId: snapshot.clusterId,
  epoch: BigInt(snapshot.epoch),
  model: toWireModel(snapshot.model),
  workers: snapshot.workers.map((worker) => ({ ...worker, state: workerState.toWire(worker.state) })),
  placement: snapshot.placement.map((experts) => ({
    experts: experts.map((replicas) => ({ replicas: replicas.map(({ worker, state }) => ({ worker, state: replicaState.toWire(state) })) })),
  })),
});

export const fromWireSnapshot = (snapshot: clusterV1.ClusterSnapshot): ClusterSnapshot => ({
  clusterId: snapshot.clusterId,
  epoch: toNumber(snapshot.epoch, 'epoch'),
  model: fromWireModel(required(snapshot.model, 'model')),
  workers: snapshot.workers.map(fromWirePeer),
  placement: fromWirePlacement(snapshot.placement),
});

export const toWireModel = (model: ModelRef): MessageInitShape<typeof clusterV1.ModelRefSchema> => ({ ...model, dtype: weightDtype.toWire(model.dtype) });

export const fromWireModel = ({ id, directory, dtype, deterministic }: clusterV1.ModelRef): ModelRef => ({
  id, directory, dtype: weightDtype.fromWire(dtype), deterministic,
});

const fromWirePeer = ({ id, address, state, roles, nvlinkDomain }: clusterV1.WorkerPeer): WorkerPeer => ({
  id: workerId(id), address, state: workerState.fromWire(state), roles: fromWireRoles(roles), ...(nvlinkDomain !== undefined && { nvlinkDomain }),
});

const fromWirePlacement = (layers: readonly clusterV1.LayerPlacement[]): Placement =>
  layers.map(({ experts }) => experts.map(({ replicas }) => replicas.map(({ worker, state }) => ({ worker: workerId(worker), state: replicaState.fromWire(state) }))));
