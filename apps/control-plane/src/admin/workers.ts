import { ApiProperty } from '@nestjs/swagger';
import {
  type CardInfo, type ClusterSnapshot, COMPUTE_DTYPES, type ComputeDtype, type DeviceInfo, KV_DTYPES, type KvDtype, type LoadProgress, type MemoryNeeds, NO_TIMES, type Numerics,
  type Replica, type WorkerId, type WorkerRoles, type WorkerState,
} from '@essaim/core';
import { type Member } from '@essaim/membership';
import { type ClusterView } from '../cluster-service.ts';
import { Times } from './times.ts';

const STATES = ['joining', 'loading', 'ready', 'draining', 'lost'] as const satisfies readonly WorkerState[];
const REPLICA_STATES = ['loading', 'ready'] as const satisfies readonly Replica['state'][];

class Roles implements WorkerRoles {
  @ApiProperty({ type: Boolean, description: 'Holds the dense part and leads sequences' }) readonly lead!: boolean;
  @ApiProperty({ type: Boolean, description: 'Hosts routed experts' }) readonly expert!: boolean;
}

class Card implements CardInfo {
  @ApiProperty({ type: 'integer', description: 'Among the devices of its host that the same provider drives' }) readonly index!: number;
  @ApiProperty({ type: String, nullable: true, example: '0000:3b:00.0', description: 'Null where its driver does not tell' }) readonly pciBusId!: string | null;
  @ApiProperty({ type: String, nullable: true, description: 'The same for all cards of the cluster that NVLink joins; null without NVLink' }) readonly nvlinkDomain!: string | null;
  @ApiProperty({ type: 'integer', nullable: true, description: 'From the host\'s memory to its own, measured when the worker started; null where it was not' }) readonly uploadBytesPerSecond!: number | null;
}

class Device implements DeviceInfo {
  @ApiProperty({ enum: ['cpu', 'webgpu', 'cuda', 'tensorrt'], description: 'What drives it' }) readonly kind!: string;
  @ApiProperty({ type: String }) readonly name!: string;
  @ApiProperty({ type: 'integer' }) readonly threads!: number;
  @ApiProperty({ type: 'integer', description: 'Bytes that all its needs and its experts may take together' }) readonly memoryBytes!: number;
  @ApiProperty({ type: Card, nullable: true, description: 'Null for a processor' }) readonly card!: Card | null;
}

class NumericsView implements Numerics {
  @ApiProperty({ enum: KV_DTYPES, description: 'How keys and values are kept' }) readonly kvDtype!: KvDtype;
  @ApiProperty({ enum: COMPUTE_DTYPES, description: 'What matrices are multiplied in' }) readonly computeDtype!: ComputeDtype;
}

class Needs implements MemoryNeeds {
  @ApiProperty({ type: 'integer', description: 'Weights beside the routed experts' }) readonly denseBytes!: number;
  @ApiProperty({ type: 'integer', description: 'What keys and values may take' }) readonly kvBytes!: number;
  @ApiProperty({ type: 'integer', description: 'What the buffers that they lie in may take beyond that' }) readonly kvSlackBytes!: number;
  @ApiProperty({ type: 'integer', description: 'What a step makes on its way' }) readonly stepBytes!: number;
  @ApiProperty({ type: 'integer', description: 'Of one routed expert; 0 for a model without' }) readonly expertBytes!: number;
}

class Progress implements LoadProgress {
  @ApiProperty({ type: 'integer' }) readonly doneBytes!: number;
  @ApiProperty({ type: 'integer' }) readonly totalBytes!: number;
}

class HostedExpert {
  @ApiProperty({ type: 'integer' }) readonly layer!: number;
  @ApiProperty({ type: 'integer' }) readonly expert!: number;
  @ApiProperty({ enum: REPLICA_STATES }) readonly state!: Replica['state'];
}

export class WorkerView {
  @ApiProperty({ type: String }) readonly id!: string;
  @ApiProperty({ type: 'integer' }) readonly pid!: number;
  @ApiProperty({ type: String }) readonly hostname!: string;
  @ApiProperty({ type: String, description: 'host:port of its gRPC service' }) readonly address!: string;
  @ApiProperty({ enum: STATES }) readonly state!: WorkerState;
  @ApiProperty({ type: Roles }) readonly roles!: Roles;
  @ApiProperty({ type: Device }) readonly device!: Device;
  @ApiProperty({ type: NumericsView, description: 'The same for all workers of a cluster' }) readonly numerics!: Numerics;
  @ApiProperty({ type: Needs, description: 'What it holds of the model; the rest of its memory is for experts' }) readonly needs!: MemoryNeeds;
  @ApiProperty({ type: 'integer' }) readonly residentBytes!: number;
  @ApiProperty({ type: Progress, description: 'Bytes of weights loaded, of those the placement gives it' }) readonly progress!: Progress;
  @ApiProperty({ type: [HostedExpert], description: 'Its replicas in the published placement; empty once lost' }) readonly hosted!: readonly HostedExpert[];
  @ApiProperty({ type: 'integer' }) readonly runningSequences!: number;
  @ApiProperty({ type: 'integer' }) readonly waitingSequences!: number;
  @ApiProperty({ type: 'integer' }) readonly kvUsedBytes!: number;
  @ApiProperty({ type: 'integer' }) readonly kvBudgetBytes!: number;
  @ApiProperty({ type: Times, description: 'How its time went since its process began' }) readonly times!: Times;
  @ApiProperty({ type: 'integer', description: 'Highest epoch it has applied' }) readonly epoch!: number;
}

export class WorkerList {
  @ApiProperty({ type: [WorkerView] }) readonly workers!: readonly WorkerView[];
}

/** Live workers by id, then the lost ones. */
export function workerList({ members, lost, published }: Pick<ClusterView, 'members' | 'lost' | 'published'>): WorkerList {
  const hosted = hostedByWorker(published);
  return { workers: [...members.map((member) => workerView(member, hosted.get(member.registration.id) ?? [])), ...lost.map((member) => workerView(member, []))] };
}

/** What a worker has that never reported, or never will again. */
const NOTHING = { residentBytes: 0, progress: { doneBytes: 0, totalBytes: 0 }, runningSequences: 0, waitingSequences: 0, kvUsedBytes: 0, kvBudgetBytes: 0, times: NO_TIMES, epoch: 0 };

function workerView({ registration, state, report }: Member, hosted: readonly HostedExpert[]): WorkerView {
  const { residentBytes, progress, runningSequences, waitingSequences, kvUsedBytes, kvBudgetBytes, times, epoch } = state === 'lost' ? NOTHING : (report ?? NOTHING);
  return { ...registration, state, residentBytes, progress, hosted, runningSequences, waitingSequences, kvUsedBytes, kvBudgetBytes, times, epoch };
}

function hostedByWorker(published: ClusterSnapshot | null): Map<WorkerId, HostedExpert[]> {
  const hosted = new Map<WorkerId, HostedExpert[]>();
  published?.placement.forEach((experts, layer) =>
    experts.forEach((replicas, expert) => {
      for (const { worker, state } of replicas) {
        const list = hosted.get(worker) ?? [];
        list.push({ layer, expert, state });
        hosted.set(worker, list);
      }
    }),
  );
  return hosted;
}
