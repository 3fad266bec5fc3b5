import { AppError, type MemoryNeeds, spareBytes, type WeightDtype } from '@essaim/core';
import { formatBytes } from './format-bytes.ts';

/** What a worker may take of its memory, and what it needs of it. */
export interface WorkerRoom {
  /** Its device's name. */
  readonly device: string;
  readonly memoryBytes: number;
  readonly needs: MemoryNeeds;
  readonly dtype: WeightDtype;
}

/** Whether a worker can hold so many experts. */
export const hasRoom = ({ memoryBytes, needs }: WorkerRoom, experts: number): boolean => spareBytes(memoryBytes, needs, experts) >= 0;

/** Refuses with `resource_exhausted` to hold so many experts, before anything of them is loaded. */
export function assertRoom(room: WorkerRoom, experts: number): void {
  if (hasRoom(room, experts)) return;
  const { device, memoryBytes, needs } = room;
  const weightBytes = needs.denseBytes + experts * needs.expertBytes;
  const parts = [`${formatBytes(weightBytes)} of weights`, `${formatBytes(needs.kvBytes + needs.kvSlackBytes)} for keys and values`, `${formatBytes(needs.stepBytes)} for a step`];
  throw new AppError('resource_exhausted', `a worker on ${device} needs ${formatBytes(memoryBytes - spareBytes(memoryBytes, needs, experts))} (${parts.join(', ')}) and has ${formatBytes(memoryBytes)} for them: choose ${remedies(room, experts).join(', or ')}`);
}

function remedies({ memoryBytes, needs, dtype }: WorkerRoom, experts: number): string[] {
  const wouldDo = spareBytes(memoryBytes, { ...needs, kvBytes: 0, kvSlackBytes: 0 }, experts) > 0;
  return [
    ...(wouldDo ? ['a smaller --kv-memory'] : []),
    ...(dtype === 'int4' ? [] : ['a smaller --dtype such as int4']),
    experts > 0 ? 'more workers, so that each holds fewer experts' : 'more memory for it, by --worker-memory or fewer workers on a machine',
  ];
}
