import { once } from 'node:events';
import { extname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';

/** Far beyond any cache. */
const TOTAL_BYTES = 1 << 30;
const PASSES = 15;

/** Beside this file, from source as well as bundled. */
const ENTRY = join(import.meta.dirname, `read-memory.thread${extname(import.meta.filename)}`);

/** Bytes per second that `threads` threads read from memory together, in the fastest of a few passes over 1 GiB. Nothing but reading: a higher bound than any computation reaches. */
export async function measureReadBandwidth(threads: number, totalBytes = TOTAL_BYTES): Promise<number> {
  const bytes = Math.floor(totalBytes / threads);
  const readers = Array.from({ length: threads }, () => new Worker(ENTRY, { workerData: { bytes } }));
  try {
    await Promise.all(readers.map((reader) => once(reader, 'message')));
    let fastestMs = Infinity;
    for (let pass = 0; pass < PASSES; pass++) fastestMs = Math.min(fastestMs, await timeOnePass(readers));
    return (bytes * threads) / (fastestMs / 1000);
  } finally {
    await Promise.all(readers.map((reader) => reader.terminate()));
  }
}

async function timeOnePass(readers: readonly Worker[]): Promise<number> {
  const beganMs = performance.now();
  await Promise.all(readers.map((reader) => {
    const done = once(reader, 'message');
    reader.postMessage('read');
    return done;
  }));
  return performance.now() - beganMs;
}
