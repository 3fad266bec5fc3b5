import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { memoryOf } from './memory.ts';

it.runIf(existsSync('/proc/self/smaps_rollup'))('this process is in memory, with its own share of it no larger than the whole', async () => {
  const memory = await memoryOf(process.pid);
  expect(memory!.residentBytes).toBeGreaterThan(10e6);
  // Both are read while the process grows, so a little is left open.
  expect(memory!.proportionalBytes! / memory!.residentBytes).toBeLessThan(1.2);
  expect(memory!.proportionalBytes!).toBeGreaterThan(1e6);
  expect(memory!.peakBytes!).toBeGreaterThanOrEqual(memory!.residentBytes);
});

it('a process that is not there has no memory', async () => {
  expect(await memoryOf(2 ** 30)).toBeNull();
});
