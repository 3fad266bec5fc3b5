import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openCheckpoint } from '@essaim/checkpoint';
import { assert, rotarySizeOf } from '@essaim/core';
import { openCheckpointFolder } from '@essaim/files';
import { packageRoot } from '../../../package-root.ts';
import { exportGguf, type ExportOptions, metadataOf } from './export.ts';
import { aligned, ggufHead } from './format.ts';
import { q4Rows } from './q4-rows.ts';
import { ggufTensors, interleaved } from './tensors.ts';

const PETIT = join(packageRoot(), 'deploy', 'models', 'petit');

let cacheFolder: string;
beforeEach(() => {
  cacheFolder = mkdtempSync(join(tmpdir(), 'essaim-gguf-'));
});
afterEach(() => rmSync(cacheFolder, { recursive: true }));

const options = (changes: Partial<ExportOptions> = {}): ExportOptions => ({ checkpointFolder: PETIT, form: 'q4_0', cacheFolder, onProgress: () => undefined, signal: new AbortController().signal, ...changes });

it('writes each tensor where the head says, rotary rows in llama.cpp\'s order', async () => {
  const progress: [number, number][] = [];
  const bytes = readFileSync(await exportGguf(options({ onProgress: (done, total) => progress.push([done, total]) })));
  const { spec, weights, close } = await openCheckpoint(openCheckpointFolder(PETIT));
  const tensors = ggufTensors(spec, weights, 'q4_0');
  const dataStart = ggufHead(metadataOf(spec, { name: 'petit', form: 'q4_0' }), tensors).length;
  const dataBytes = tensors.reduce((sum, { byteLength }) => sum + aligned(byteLength), 0);
  expect(bytes.length).toBe(dataStart + dataBytes);
  const startOf = (name: string): number => dataStart + tensors.slice(0, tensors.findIndex((tensor) => tensor.name === name)).reduce((sum, { byteLength }) => sum + aligned(byteLength), 0);
  const { attention } = weights.layers[1]!;
  assert(attention.kind === 'gqa', 'the built-in model has grouped queries');
  const { key } = attention;
  const headSize = rotarySizeOf(spec.attention);
  const secondHead = q4Rows(interleaved(await key.read(headSize, headSize), key.columns), key.columns);
  const start = startOf('blk.1.attn_k.weight') + secondHead.length;
  expect(bytes.subarray(start, start + secondHead.length).equals(secondHead)).toBe(true);
  expect(progress.at(-1)![0]).toBeLessThanOrEqual(dataBytes);
  await close();
});

it('puts dimension i and i + half of a head beside each other', () => {
  expect([...interleaved(Float32Array.of(0, 0, 1, 1, 2, 2, 3, 3), 2)]).toEqual([0, 0, 2, 2, 1, 1, 3, 3]);
});

it('writes once', async () => {
  const file = await exportGguf(options());
  const before = statSync(file).mtimeMs;
  expect(await exportGguf(options({ onProgress: () => expect.unreachable() }))).toBe(file);
  expect(statSync(file).mtimeMs).toBe(before);
});

it('leaves nothing behind when it is interrupted', async () => {
  const stop = new AbortController();
  await expect(exportGguf(options({ onProgress: () => stop.abort(), signal: stop.signal }))).rejects.toThrow('aborted');
  expect(readdirSync(cacheFolder)).toEqual([]);
});

it('has a file of its own in float16, whose matrices are the weights, rounded', async () => {
  const file = await exportGguf(options({ form: 'f16' }));
  expect(file).not.toBe(await exportGguf(options()));
  const bytes = readFileSync(file);
  const { spec, weights, close } = await openCheckpoint(openCheckpointFolder(PETIT));
  const head = Float16Array.from(await weights.head.read(spec.vocabSize - 1, 1));
  expect(new Float16Array(new Uint8Array(bytes.subarray(-head.byteLength)).buffer)).toEqual(head);
  await close();
});
