import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { useHugePages } from './huge-pages.ts';

const memory = (): SharedArrayBuffer => new WebAssembly.Memory({ initial: 256, maximum: 256, shared: true }).buffer as SharedArrayBuffer;

/** How many of this process's ranges ask for large pages: `hg` among the flags. */
const asking = (): number => readFileSync('/proc/self/smaps', 'utf8').split('\n').filter((line) => /^VmFlags:.*\bhg\b/.test(line)).length;

it.skipIf(!existsSync('/sys/kernel/mm/transparent_hugepage'))('asks for large pages behind an address, and leaves what is before it', async () => {
  const buffer = memory();
  new Uint8Array(buffer).fill(7, 0, 100);
  const before = asking();
  await useHugePages(buffer, 100);
  expect(asking()).toBeGreaterThan(before);
  expect(new Uint8Array(buffer, 0, 101)).toEqual(Uint8Array.from({ length: 101 }, (_, index) => (index < 100 ? 7 : 0)));
});

it('does nothing where no whole large page is left', async () => {
  const buffer = memory();
  await expect(useHugePages(buffer, buffer.byteLength - 5)).resolves.toBeUndefined();
});
