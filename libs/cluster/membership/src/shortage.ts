import { type MemoryNeeds, roomForExperts, type WeightDtype, type WorkerRegistration } from '@essaim/core';
import { formatBytes } from '@essaim/placement';

const MIB = 2 ** 20;

export interface Shortage {
  /** Copies of experts that nobody has room for, 1 or more. */
  readonly missing: number;
  readonly replicas: number;
  readonly dtype: WeightDtype;
}

/** The end of a sentence: how much is missing, and what whoever runs the cluster can do. */
export function howToFit(workers: readonly Pick<WorkerRegistration, 'device' | 'needs'>[], { missing, replicas, dtype }: Shortage): string {
  const expertBytes = Math.max(...workers.map(({ needs }) => needs.expertBytes));
  const rooms = workers.map(({ device, needs }) => roomForExperts(device.memoryBytes, needs));
  const each = Math.floor(sum(rooms) / workers.length);
  const kvMib = smallerKvMib(workers, sum(rooms) + missing);
  const remedies = [
    ...(each > 0 ? [`start ${Math.ceil(missing / each)} more like ${workers.length === 1 ? 'it' : 'them'}`] : ['give workers more memory']),
    ...(kvMib === null ? [] : [`lower --kv-memory to ${kvMib}`]),
    ...(dtype === 'int4' ? [] : ['choose a smaller --dtype such as int4']),
    ...(sum(rooms) * replicas >= sum(rooms) + missing ? ['choose fewer --replicas'] : []),
  ];
  return `${formatBytes(missing * expertBytes)} are missing for ${missing} of ${formatBytes(expertBytes)} each: ${remedies.join(', or ')}`;
}

/** The most MiB for keys and values of each worker with which all have room for so many experts together; null where no number will do. */
function smallerKvMib(workers: readonly Pick<WorkerRegistration, 'device' | 'needs'>[], experts: number): number | null {
  const roomWith = (mib: number): number => sum(workers.map(({ device, needs }) => roomForExperts(device.memoryBytes, withKv(needs, Math.min(needs.kvBytes, mib * MIB)))));
  if (roomWith(1) < experts) return null;
  let [enough, tooMuch] = [1, Math.ceil(Math.max(...workers.map(({ needs }) => needs.kvBytes)) / MIB)];
  while (tooMuch - enough > 1) {
    const middle = Math.floor((enough + tooMuch) / 2);
    if (roomWith(middle) < experts) tooMuch = middle;
    else enough = middle;
  }
  return enough;
}

const withKv = (needs: MemoryNeeds, kvBytes: number): MemoryNeeds => ({ ...needs, kvBytes, kvSlackBytes: needs.kvBytes === 0 ? 0 : Math.ceil((needs.kvSlackBytes * kvBytes) / needs.kvBytes) });

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
