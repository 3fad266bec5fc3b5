import { totalmem } from 'node:os';
import { AppError } from '@essaim/core';
import { type WorkerDevice } from './worker-devices.ts';

/** Of the machine's memory, for all workers together. */
const WORKERS_SHARE = 0.8;
/** Of a worker's memory, for keys and values unless a flag says otherwise. */
const KV_SHARE = 0.25;
const MIB = 2 ** 20;

const machineBytes = (): number => Math.min(totalmem(), process.constrainedMemory() || Infinity);

/** Bytes that each of so many workers on this machine may take. */
export const workerMemoryBytes = (workers: number): number => Math.floor((machineBytes() * WORKERS_SHARE) / workers);

/** Devices of which each worker may take as much as was asked for. Refuses more than there is for all of them. */
export function limitMemory(askedMib: number | undefined, devices: readonly WorkerDevice[]): readonly WorkerDevice[] {
  if (askedMib === undefined) return devices;
  const mostMib = Math.floor(Math.min(...devices.map(({ memoryBytes }) => memoryBytes ?? machineBytes() / devices.length)) / MIB);
  if (askedMib > mostMib) {
    throw new AppError('invalid_argument', `--worker-memory ${askedMib} is more than the ${mostMib} MiB that there are for each of ${devices.length} workers: lower --worker-memory or --workers`);
  }
  return devices.map(({ name }) => ({ name, memoryBytes: askedMib * MIB }));
}

/** MiB of each worker for keys and values. Refuses more than the worker with the least memory may take altogether. */
export function resolveKvMemory(askedMib: number | undefined, devices: readonly WorkerDevice[]): number {
  const mostMib = Math.floor(Math.min(...devices.map(({ memoryBytes }) => memoryBytes ?? workerMemoryBytes(devices.length))) / MIB);
  if (askedMib !== undefined && askedMib > mostMib) {
    throw new AppError('invalid_argument', `--kv-memory ${askedMib} is more than the ${mostMib} MiB that each of ${devices.length} workers may take on this machine: lower --kv-memory or --workers`);
  }
  return askedMib ?? Math.max(1, Math.floor(mostMib * KV_SHARE));
}
