import { totalmem } from 'node:os';
import { AppError } from '@essaim/core';
import { type WorkerDevice } from './worker-devices.ts';

/** Of the machine's memory, for all workers together. */
const WORKERS_SHARE = 0.8;
/** Of a worker's memory, for keys and values unless a flag says otherwise. */
const KV_SHARE = 0.25;
const MIB = 2 ** 20;

/** Bytes that each of so many workers on this machine may take. */
export function workerMemoryBytes(workers: number): number {
  const machineBytes = Math.min(totalmem(), process.constrainedMemory() || Infinity);
  return Math.floor((machineBytes * WORKERS_SHARE) / workers);
}

/** MiB of each worker for keys and values. Refuses more than the worker with the least memory may take altogether. */
export function resolveKvMemory(askedMib: number | undefined, devices: readonly WorkerDevice[]): number {
  const mostMib = Math.floor(Math.min(...devices.map(({ memoryBytes }) => memoryBytes ?? workerMemoryBytes(devices.length))) / MIB);
  if (askedMib !== undefined && askedMib > mostMib) {
    throw new AppError('invalid_argument', `--kv-memory ${askedMib} is more than the ${mostMib} MiB that each of ${devices.length} workers may take on this machine: lower --kv-memory or --workers`);
  }
  return askedMib ?? Math.max(1, Math.floor(mostMib * KV_SHARE));
}
