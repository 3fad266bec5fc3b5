import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openCheckpoint } from '@essaim/checkpoint';
import { AppError, WEIGHT_DTYPES, type WeightDtype } from '@essaim/core';
import { CompiledCache, openCheckpointFolder } from '@essaim/files';
import { expertPieces, leadPieces, packPiece, type PanelModel, type PanelPiece } from '@essaim/panels';
import { headedModel } from '../test/headed-model.ts';
import { packIntoCache, type PanelFile } from './compile-panels.ts';

const HEAD: PanelPiece = { kind: 'head' };
const ignored = { onBytes: (): void => undefined };
const SMALL = { hiddenSize: 72, vocabSize: 100 };

let folder: string;
let cache: CompiledCache;
beforeEach(() => void (cache = new CompiledCache((folder = mkdtempSync(join(tmpdir(), 'essaim-panels-'))))));
afterEach(() => rmSync(folder, { recursive: true }));

async function bytesOf(model: PanelModel, piece: PanelPiece): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of packPiece(model, piece)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('packing a piece', () => {
  it.each(WEIGHT_DTYPES)('writes one file with its bytes, and a second time reads no weights and gives the same one, at %s', async (dtype) => {
    const model = headedModel({ ...SMALL, dtype });
    for (const piece of leadPieces(model.spec)) {
      const first = await packIntoCache(model, piece, cache, ignored);
      expect(first.piece).toEqual(piece);
      expect(readFileSync(first.file).equals(await bytesOf(model, piece))).toBe(true);
      expect(readFileSync(first.file)).toHaveLength(first.bytes);
      const reads = model.reads();
      expect(await packIntoCache(model, piece, new CompiledCache(folder), ignored)).toEqual(first);
      expect(model.reads()).toBe(reads);
    }
    expect(readdirSync(folder)).toHaveLength(2);
  });

  it('tells of every byte once: as they are written, or all at once where they are found', async () => {
    const model = headedModel({ ...SMALL, dtype: 'int8' });
    const told: number[] = [];
    const { bytes } = await packIntoCache(model, HEAD, cache, { onBytes: (count) => told.push(count) });
    expect(told.length).toBeGreaterThan(1);
    expect(told.reduce((sum, count) => sum + count)).toBe(bytes);
    told.length = 0;
    await packIntoCache(model, HEAD, cache, { onBytes: (count) => told.push(count) });
    expect(told).toEqual([bytes]);
  });

  it('by several at once is there once, whole, with nothing left over', async () => {
    const model = headedModel({ ...SMALL, dtype: 'int4' });
    const files = await Promise.all(Array.from({ length: 5 }, () => packIntoCache(model, HEAD, new CompiledCache(folder), ignored)));
    for (const file of files) expect(file).toEqual(files[0]);
    expect(readdirSync(folder)).toEqual([basename(dirname(files[0]!.file))]);
    expect(readFileSync(files[0]!.file).equals(await bytesOf(model, HEAD))).toBe(true);
  });

  it('that fails leaves nothing behind and gives the reader\'s own error', async () => {
    const model = headedModel({ ...SMALL, dtype: 'int4' });
    const head = { ...model.weights.head, read: () => Promise.reject(new AppError('data_loss', 'model.safetensors ends before byte 100')) };
    await expect(packIntoCache({ ...model, weights: { ...model.weights, head } }, HEAD, cache, ignored)).rejects.toMatchObject({ code: 'data_loss', message: 'model.safetensors ends before byte 100' });
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('the pieces of a checkpoint', () => {
  const golden = fileURLToPath(new URL('../../../../test/golden/models/mixtral-top1-odd-sharded-f16', import.meta.url));

  async function packedAt(dtype: WeightDtype): Promise<PanelFile[]> {
    const checkpoint = await openCheckpoint(openCheckpointFolder(golden));
    const model = { spec: checkpoint.spec, weights: checkpoint.weights, dtype };
    const files: PanelFile[] = [];
    for (const piece of [...leadPieces(model.spec), ...expertPieces(model.spec)]) files.push(await packIntoCache(model, piece, cache, ignored));
    await checkpoint.close();
    return files;
  }

  it('are one file each, those of quantised matrices apart by dtype and the embedding shared', async () => {
    const [int4, int8] = [await packedAt('int4'), await packedAt('int8')];
    const shared = int8.filter(({ file }) => int4.some((other) => other.file === file));
    expect(shared.map(({ piece }) => piece)).toEqual([{ kind: 'embed' }]);
    expect(readdirSync(folder)).toHaveLength(int4.length + int8.length - 1);
    for (const { file, bytes } of [...int4, ...int8]) expect(readFileSync(file)).toHaveLength(bytes);
  });
});

describe('memory while packing', () => {
  const script = fileURLToPath(new URL('../test/pack-alone.ts', import.meta.url));

  it.skipIf(!existsSync('/proc/self/status')).each(['int4', 'float32'] as const)('of a head of 512 MiB at %s stays under 300 MB', async (dtype) => {
    const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify({ hiddenSize: 1024, vocabSize: 131_072, dtype })]);
    const { bytes, tookBytes } = JSON.parse(stdout) as { readonly bytes: number; readonly tookBytes: number };
    expect(bytes).toBeGreaterThan((131_072 * 1024) / 2);
    expect(tookBytes).toBeLessThan(300e6);
  });
});
