import { type MessageInitShape } from '@bufbuild/protobuf';
import {
  type CardInfo, type ClusterSnapshot, type DeviceInfo, type Lease, leaseId, type ModelRef, type Placement, type Replica, type WeightDtype, workerId,
  type WorkerPeer, type WorkerRegistration, type WorkerRoles, type WorkerState,
} from '@essaim/core';
import { clusterV1 } from '@essaim/contracts';
import { type EnumMap, enumMap, required, toNumber } from './fields.ts';

export const workerState: EnumMap<WorkerState, clusterV1.WorkerState> = enumMap(clusterV1.WorkerState, 'worker state');
const replicaState: EnumMap<Replica['state'], clusterV1.ReplicaState> = enumMap(clusterV1.ReplicaState, 'replica state');
const weightDtype: EnumMap<WeightDtype, clusterV1.WeightDtype> = enumMap(clusterV1.WeightDtype, 'weight dtype');

export const toWireLease = ({ id, ttlMs }: Lease): MessageInitShape<typeof clusterV1.JoinResponseSchema> => ({ leaseId: id, leaseTtlMs: ttlMs });

export const fromWireLease = (response: clusterV1.JoinResponse): Lease => ({ id: leaseId(response.leaseId), ttlMs: response.leaseTtlMs });

export const toWireRegistration = ({ device, ...registration }: WorkerRegistration): MessageInitShape<typeof clusterV1.WorkerRegistrationSchema> => ({
  ...registration, device: { ...device, memoryBytes: BigInt(device.memoryBytes), card: device.card === null ? undefined : toWireCard(device.card) },
});

const toWireCard = ({ index, pciBusId, nvlinkDomain, uploadBytesPerSecond }: CardInfo): MessageInitShape<typeof clusterV1.CardSchema> => ({
  index, pciBusId: pciBusId ?? undefined, nvlinkDomain: nvlinkDomain ?? undefined, uploadBytesPerSecond: uploadBytesPerSecond === null ? undefined : BigInt(uploadBytesPerSecond),
});

export const fromWireRegistration = (registration: clusterV1.WorkerRegistration): WorkerRegistration => ({
  id: workerId(registration.id),
  pid: registration.pid,
  hostname: registration.hostname,
  address: registration.address,
  roles: fromWireRoles(registration.roles),
  device: fromWireDevice(required(registration.device, 'device')),
});

const fromWireDevice = ({ kind, name, threads, memoryBytes, card }: clusterV1.Device): DeviceInfo => ({
  kind, name, threads, memoryBytes: toNumber(memoryBytes, 'memory_bytes'), card: card === undefined ? null : fromWireCard(card),
});

const fromWireCard = ({ index, pciBusId, nvlinkDomain, uploadBytesPerSecond }: clusterV1.Card): CardInfo => ({
  index, pciBusId: pciBusId ?? null, nvlinkDomain: nvlinkDomain ?? null, uploadBytesPerSecond: uploadBytesPerSecond === undefined ? null : toNumber(uploadBytesPerSecond, 'upload_bytes_per_second'),
});

function fromWireRoles(roles: clusterV1.WorkerRoles | undefined): WorkerRoles {
  const { lead, expert } = required(roles, 'roles');
  return { lead, expert };
}

export const toWireSnapshot = (snapshot: ClusterSnapshot): MessageInitShape<typeof clusterV1.ClusterSnapshotSchema> => ({
  clusterId: snapshot.clusterId,
  epoch: BigInt(snapshot.epoch),
  model: { ...snapshot.model, dtype: weightDtype.toWire(snapshot.model.dtype) },
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

const fromWireModel = ({ id, directory, dtype, deterministic }: clusterV1.ModelRef): ModelRef => ({
  id, directory, dtype: weightDtype.fromWire(dtype), deterministic,
});

const fromWirePeer = ({ id, address, state, roles, nvlinkDomain }: clusterV1.WorkerPeer): WorkerPeer => ({
  id: workerId(id), address, state: workerState.fromWire(state), roles: fromWireRoles(roles), ...(nvlinkDomain !== undefined && { nvlinkDomain }),
});

const fromWirePlacement = (layers: readonly clusterV1.LayerPlacement[]): Placement =>
  layers.map(({ experts }) => experts.map(({ replicas }) => replicas.map(({ worker, state }) => ({ worker: workerId(worker), state: replicaState.fromWire(state) }))));
