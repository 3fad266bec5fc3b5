import { type MessageInitShape } from '@bufbuild/protobuf';
import { AppError, type CardInfo, type ComputeDtype, type DeviceInfo, type KvDtype, type MemoryNeeds, type Numerics, workerId, type WorkerRegistration, type WorkerRoles } from '@essaim/core';
import { clusterV1 } from '@essaim/contracts';
import { type EnumMap, enumMap, required, toNumber } from './fields.ts';

const kvDtype: EnumMap<KvDtype, clusterV1.KvDtype> = enumMap(clusterV1.KvDtype, 'form of keys and values');
const computeDtype: EnumMap<ComputeDtype, clusterV1.ComputeDtype> = enumMap(clusterV1.ComputeDtype, 'compute dtype');

export const toWireRegistration = ({ device, numerics, needs, ...registration }: WorkerRegistration): MessageInitShape<typeof clusterV1.WorkerRegistrationSchema> => ({
  ...registration,
  device: { ...device, memoryBytes: BigInt(device.memoryBytes), card: device.card === null ? undefined : toWireCard(device.card) },
  numerics: { kvDtype: kvDtype.toWire(numerics.kvDtype), computeDtype: computeDtype.toWire(numerics.computeDtype) },
  needs: toWireNeeds(needs),
});

const toWireCard = ({ index, pciBusId, nvlinkDomain, uploadBytesPerSecond }: CardInfo): MessageInitShape<typeof clusterV1.CardSchema> => ({
  index, pciBusId: pciBusId ?? undefined, nvlinkDomain: nvlinkDomain ?? undefined, uploadBytesPerSecond: uploadBytesPerSecond === null ? undefined : BigInt(uploadBytesPerSecond),
});

const toWireNeeds = ({ denseBytes, kvBytes, kvSlackBytes, stepBytes, expertBytes }: MemoryNeeds): MessageInitShape<typeof clusterV1.MemoryNeedsSchema> => ({
  denseBytes: BigInt(denseBytes), kvBytes: BigInt(kvBytes), kvSlackBytes: BigInt(kvSlackBytes), stepBytes: BigInt(stepBytes), expertBytes: BigInt(expertBytes),
});

/** Fails with `failed_precondition` where a worker of an older version does not say all that placing experts on it takes. */
export const fromWireRegistration = (registration: clusterV1.WorkerRegistration): WorkerRegistration => ({
  id: workerId(registration.id),
  pid: registration.pid,
  hostname: registration.hostname,
  address: registration.address,
  roles: fromWireRoles(registration.roles),
  device: fromWireDevice(required(registration.device, 'device')),
  numerics: fromWireNumerics(saidByAllNow(registration.numerics, registration.id)),
  needs: fromWireNeeds(saidByAllNow(registration.needs, registration.id)),
});

const fromWireDevice = ({ kind, name, threads, memoryBytes, card }: clusterV1.Device): DeviceInfo => ({
  kind, name, threads, memoryBytes: toNumber(memoryBytes, 'memory_bytes'), card: card === undefined ? null : fromWireCard(card),
});

const fromWireCard = ({ index, pciBusId, nvlinkDomain, uploadBytesPerSecond }: clusterV1.Card): CardInfo => ({
  index, pciBusId: pciBusId ?? null, nvlinkDomain: nvlinkDomain ?? null, uploadBytesPerSecond: uploadBytesPerSecond === undefined ? null : toNumber(uploadBytesPerSecond, 'upload_bytes_per_second'),
});

const fromWireNumerics = (numerics: clusterV1.Numerics): Numerics => ({ kvDtype: kvDtype.fromWire(numerics.kvDtype), computeDtype: computeDtype.fromWire(numerics.computeDtype) });

const fromWireNeeds = ({ denseBytes, kvBytes, kvSlackBytes, stepBytes, expertBytes }: clusterV1.MemoryNeeds): MemoryNeeds => ({
  denseBytes: toNumber(denseBytes, 'dense_bytes'), kvBytes: toNumber(kvBytes, 'kv_bytes'), kvSlackBytes: toNumber(kvSlackBytes, 'kv_slack_bytes'),
  stepBytes: toNumber(stepBytes, 'step_bytes'), expertBytes: toNumber(expertBytes, 'expert_bytes'),
});

export function fromWireRoles(roles: clusterV1.WorkerRoles | undefined): WorkerRoles {
  const { lead, expert } = required(roles, 'roles');
  return { lead, expert };
}

function saidByAllNow<T>(said: T | undefined, worker: string): T {
  if (said === undefined) throw new AppError('failed_precondition', `worker ${worker} is of an older version, which does not say what it needs of its memory: start one of the control plane's version`);
  return said;
}
