import { once } from 'node:events';
import { getPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';

it.runIf(process.platform === 'linux')('lowers the priority of the calling thread, and of no other', async () => {
  const before = getPriority();
  const thread = new Worker(new URL('../test/stepping-back.thread.ts', import.meta.url));
  const [after] = (await once(thread, 'message')) as [number];
  expect([after, getPriority()]).toEqual([10, before]);
  await thread.terminate();
});
