import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { processorTimeUs } from './processor-time.ts';

it.runIf(existsSync('/proc/self/stat'))('this process took the processor time that Node counts for it', async () => {
  const before = process.cpuUsage();
  const told = await processorTimeUs(process.pid);
  const after = process.cpuUsage();
  // The kernel rounds both counters down to ticks of 10 ms.
  expect(told).toBeGreaterThanOrEqual(before.user + before.system - 20_000);
  expect(told).toBeLessThanOrEqual(after.user + after.system);
});

it('a process that is not there has no processor time', async () => {
  await expect(processorTimeUs(2 ** 31 - 1)).rejects.toThrow('needs Linux');
});
