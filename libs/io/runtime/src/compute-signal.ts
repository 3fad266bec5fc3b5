import { AppError } from '@essaim/core';

/** How often a thread looks before it sleeps: about what passes between two jobs of a step. Waking a thread that sleeps takes longer than a small job. */
const LOOKS = 20_000;
/** Nobody computes so long: a thread that has not answered by then is broken. */
const DEADLINE_MS = 60_000;

/** Integers of the shared memory: the number of the newest job, then, for each thread, that of the last one it has done. */
export const JOB_NUMBER = 0;
export const DONE = 1;

/** The number after a job's: as Atomics keep it, back to the least after the largest, which a busy worker reaches within days. */
export const following = (number: number): number => (number + 1) | 0;

/** Blocks the calling thread until an integer is another one than `known`, and returns it. */
export function awaitChange(integers: Int32Array, index: number, known: number): number {
  for (let look = 0; look < LOOKS; look++) {
    const value = Atomics.load(integers, index);
    if (value !== known) return value;
  }
  Atomics.wait(integers, index, known);
  return Atomics.load(integers, index);
}

/** Blocks the calling thread until an integer is `wanted`. Fails with `internal` when that takes too long. */
export function awaitValue(integers: Int32Array, index: number, wanted: number): void {
  for (let look = 0; look < LOOKS; look++) if (Atomics.load(integers, index) === wanted) return;
  for (let value = Atomics.load(integers, index); value !== wanted; value = Atomics.load(integers, index)) {
    if (Atomics.wait(integers, index, value, DEADLINE_MS) === 'timed-out') throw silent();
  }
}

/** The same, without blocking. */
export async function valueOf(integers: Int32Array, index: number, wanted: number): Promise<void> {
  for (let value = Atomics.load(integers, index); value !== wanted; value = Atomics.load(integers, index)) {
    if ((await Atomics.waitAsync(integers, index, value, DEADLINE_MS).value) === 'timed-out') throw silent();
  }
}

export function set(integers: Int32Array, index: number, value: number): void {
  Atomics.store(integers, index, value);
  Atomics.notify(integers, index);
}

const silent = (): AppError => new AppError('internal', 'a compute thread of this worker does not answer: restart the worker');
