import { assert, cardKvSlackBytes, LIMITS, type MemoryNeeds, roomForExperts, spareBytes, type WorkerId } from '@essaim/core';
import { type Assignment, formatBytes, placeExperts } from '@essaim/placement';
import { MEMORY_SHARE, type PlannedLoad, streamsPerLead } from './load.ts';
import { type ModelSize } from './model-size.ts';
import { type PlannedWorker } from './topology.ts';

/** Beside the weights, and beside keys and values. */
const ACTIVATION_COPIES = 2;

/** Bytes that a worker holds, all but its experts the same on each. */
export interface WorkerMemory {
  readonly worker: WorkerId;
  readonly experts: number;
  readonly expertBytes: number;
  readonly denseBytes: number;
  readonly kvBytes: number;
  /** What the buffers of these take beyond them. */
  readonly kvSlackBytes: number;
  readonly activationBytes: number;
  /** What it may hold. */
  readonly usableBytes: number;
}

export type Fit =
  | { readonly kind: 'fits'; readonly assignment: Assignment; readonly workers: readonly WorkerMemory[]; readonly spareBytes: number; /** See `placeExperts`. */ readonly degraded: string | null }
  | { readonly kind: 'short'; /** Without experts, which are not placed. */ readonly workers: readonly WorkerMemory[]; readonly missingBytes: number; readonly reason: string };

/** Places every expert, or says what is missing: memory beside the experts on any worker, then memory for experts on all together. */
export function fitModel(size: ModelSize, workers: readonly PlannedWorker[], load: PlannedLoad): Fit {
  const empty = workers.map((worker) => emptyWorker(size, worker, streamsPerLead(load.streams, workers.length), load));
  const missingBytes = missingMemory(size, empty, load.replicas);
  if (missingBytes > 0) return { kind: 'short', workers: empty, missingBytes, reason: reasonOf(missingBytes, empty) };
  const placed = placeExperts({
    workers: empty.map((memory) => ({ id: memory.worker, room: roomOf(memory, size), domain: null })),
    layerCount: size.routedLayerCount, expertCount: size.expertCount, replicas: load.replicas, previous: null,
  });
  assert(placed.kind === 'placed', 'experts that there is room for are placed');
  const counts = countExperts(placed.assignment);
  const full = empty.map((memory) => {
    const experts = counts.get(memory.worker) ?? 0;
    return { ...memory, experts, expertBytes: experts * size.expertBytes };
  });
  return { kind: 'fits', assignment: placed.assignment, workers: full, spareBytes: sum(full.map(spareOf)), degraded: placed.degraded };
}

/** Whether it would fit, by the same rule, without placing anything. */
export function wouldFit(size: ModelSize, workers: readonly PlannedWorker[], load: PlannedLoad): boolean {
  const empty = workers.map((worker) => emptyWorker(size, worker, streamsPerLead(load.streams, workers.length), load));
  return missingMemory(size, empty, load.replicas) === 0;
}

/** Of what it may hold; negative where that is not enough. */
export const spareOf = (memory: WorkerMemory): number => spareBytes(memory.usableBytes - memory.expertBytes, needsOf(memory, 0));

const roomOf = (memory: WorkerMemory, { expertBytes }: ModelSize): number => roomForExperts(memory.usableBytes, needsOf(memory, expertBytes));

const needsOf = ({ denseBytes, kvBytes, kvSlackBytes, activationBytes }: WorkerMemory, expertBytes: number): MemoryNeeds =>
  ({ denseBytes, kvBytes, kvSlackBytes, stepBytes: activationBytes, expertBytes });

function emptyWorker(size: ModelSize, { id, device }: PlannedWorker, streams: number, { contextTokens }: PlannedLoad): WorkerMemory {
  const kvBytes = streams * contextTokens * size.kvBytesPerToken;
  return {
    worker: id, experts: 0, expertBytes: 0, denseBytes: size.denseBytes,
    kvBytes, kvSlackBytes: device.processor === 'gpu' ? cardKvSlackBytes(kvBytes) : 0,
    activationBytes: ACTIVATION_COPIES * LIMITS.stepTokens * size.activationBytesPerToken + (streams + 1) * size.logitBytes,
    usableBytes: Math.floor(MEMORY_SHARE * device.memoryBytes),
  };
}

function missingMemory(size: ModelSize, empty: readonly WorkerMemory[], replicas: number): number {
  const experts = size.routedLayerCount * size.expertCount;
  const room = sum(empty.map((memory) => Math.min(experts, roomOf(memory, size))));
  const missingExperts = Math.max(0, experts * Math.min(replicas, empty.length) - room);
  return sum(empty.map((memory) => Math.max(0, -spareOf(memory)))) + missingExperts * size.expertBytes;
}

function reasonOf(missingBytes: number, empty: readonly WorkerMemory[]): string {
  const tooSmall = empty.filter((memory) => spareOf(memory) < 0).length;
  const where = tooSmall > 0 ? `${tooSmall} of ${empty.length} workers can't hold what every one needs beside experts` : 'the experts do not fit on all workers together';
  return `${where}, ${formatBytes(missingBytes)} are missing: add workers or memory, or choose a smaller --dtype, --context, --streams or --replicas`;
}

function countExperts(assignment: Assignment): ReadonlyMap<WorkerId, number> {
  const counts = new Map<WorkerId, number>();
  for (const id of assignment.flat(2)) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
