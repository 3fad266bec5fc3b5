import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { measureAlone } from './shape-process.ts';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'essaim-shapes-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const shape = { name: 'small-4', dtype: 'int4', experts: 1 } as const;

it('a measurement that is interrupted leaves no process and nothing on the disk', async () => {
  const stop = new AbortController();
  const notes: string[] = [];
  const note = (line: string): void => {
    notes.push(line);
    stop.abort();
  };
  await expect(measureAlone({ shape, threads: 1, rounds: 1, folder }, { note, signal: stop.signal })).rejects.toMatchObject({ code: 'cancelled' });
  expect(notes).toEqual(['packing embedding']);
  expect(readdirSync(folder)).toEqual([]);
});

it('a measurement that fails there fails here, with the same code', async () => {
  const unknown = { ...shape, name: 'large-4' as 'large-3' };
  await expect(measureAlone({ shape: unknown, threads: 1, rounds: 1, folder }, { note: () => undefined, signal: new AbortController().signal })).rejects.toMatchObject({ code: 'internal' });
  expect(readdirSync(folder)).toEqual([]);
});
