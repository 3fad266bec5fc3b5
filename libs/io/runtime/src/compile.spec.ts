import { execFile, execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openCheckpoint } from '@essaim/checkpoint';
import { type ModelSpec, WEIGHT_DTYPES, type WeightDtype } from '@essaim/core';
import { openCheckpointFolder } from '@essaim/files';
import { expertPieces, leadPieces, type PieceKey } from '@essaim/graph';
import { syntheticModel } from '../test/synthetic-model.ts';
import { compileIntoCache } from './compile.ts';
import { GraphCache } from './graph-cache.ts';
import { type PieceFile } from './piece-file.ts';

let folder: string;
let cache: GraphCache;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'essaim-compile-'));
  cache = new GraphCache(join(folder, 'cache'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const pieces = (spec: ModelSpec): PieceKey[] => [...leadPieces(spec), ...expertPieces(spec)];
const SMALL = { hiddenSize: 72, expertSize: 40, vocabSize: 100 };

describe('compiling a piece', () => {
  it.each(WEIGHT_DTYPES)('a second time reads no weights and gives the same file, at %s', async (dtype) => {
    const model = syntheticModel({ ...SMALL, dtype });
    const compileAll = async (): Promise<PieceFile[]> => {
      const files: PieceFile[] = [];
      for (const key of pieces(model.spec)) {
        let told = 0;
        files.push(await compileIntoCache(model, key, cache, { onBytes: (bytes) => (told += bytes) }));
        expect(told).toBeLessThanOrEqual(files.at(-1)!.weightBytes);
      }
      return files;
    };
    const first = await compileAll();
    const reads = model.reads();
    expect(reads).toBeGreaterThan(0);
    expect(await compileAll()).toEqual(first);
    expect(model.reads()).toBe(reads);
    for (const { modelFiles } of first) expect(existsSync(modelFiles[0]!)).toBe(true);
  });

  it('tells of all bytes at once when it is found done', async () => {
    const model = syntheticModel({ ...SMALL, dtype: 'int8' });
    const key: PieceKey = { kind: 'expert', layer: 0, expert: 0 };
    const { weightBytes } = await compileIntoCache(model, key, cache, { onBytes: () => undefined });
    const told: number[] = [];
    await compileIntoCache(model, key, cache, { onBytes: (bytes) => told.push(bytes) });
    expect(told).toEqual([weightBytes]);
  });

  it('by two at the same time gives both the same file', async () => {
    const model = syntheticModel({ ...SMALL, dtype: 'int4' });
    const compile = () => compileIntoCache(model, { kind: 'head' }, cache, { onBytes: () => undefined });
    const [one, other] = await Promise.all([compile(), compile()]);
    expect(one).toEqual(other);
    expect(readdirSync(join(folder, 'cache'))).toHaveLength(1);
  });
});

describe('the cache of a checkpoint', () => {
  const golden = fileURLToPath(new URL('../../../../test/golden/models/mixtral-top1-odd-sharded-f16', import.meta.url));

  async function compiledFiles(directory: string, dtype: WeightDtype = 'int4'): Promise<string[]> {
    const { spec, weights, close } = await opened(directory);
    const files: string[] = [];
    for (const key of pieces(spec)) files.push((await compileIntoCache({ spec, weights, dtype }, key, cache, { onBytes: () => undefined })).modelFiles[0]!);
    await close();
    return files;
  }

  const opened = async (directory: string) => {
    const checkpoint = await openCheckpoint(openCheckpointFolder(directory));
    return { spec: checkpoint.spec, weights: checkpoint.weights, close: () => checkpoint.close() };
  };

  it('holds for a copy of it that kept its files\' times, wherever it lies', async () => {
    const first = await compiledFiles(golden);
    execFileSync('cp', ['-a', golden, join(folder, 'copy')]);
    expect(await compiledFiles(join(folder, 'copy'))).toEqual(first);
  });

  it('does not hold for a copy with new times: who wrote a file again may have changed it where nobody looked', async () => {
    const first = await compiledFiles(golden);
    cpSync(golden, join(folder, 'copy'), { recursive: true });
    expect((await compiledFiles(join(folder, 'copy'))).filter((file) => first.includes(file))).toEqual([]);
  });

  it('keeps what is quantised apart by dtype, and shares the rest', async () => {
    const [int4, int8] = [await compiledFiles(golden, 'int4'), await compiledFiles(golden, 'int8')];
    // The embedding is kept as it is stored.
    expect(int8.filter((file) => int4.includes(file))).toEqual([int4[0]]);
  });
});

describe('memory while compiling', () => {
  // Twice the largest tensor and 300 MB are allowed; it is read in chunks, so it takes no share of its size at all.
  const MOST_BYTES = 300e6;
  const HEAD = { piece: { kind: 'head' }, size: { hiddenSize: 1024, expertSize: 32, vocabSize: 131_072 }, tensorBytes: 131_072 * 1024 * 4 };
  const EXPERT = { piece: { kind: 'expert', layer: 0, expert: 1 }, size: { hiddenSize: 1024, expertSize: 65_536, vocabSize: 32 }, tensorBytes: 65_536 * 1024 * 4 };
  const script = fileURLToPath(new URL('../test/compile-alone.ts', import.meta.url));

  it.skipIf(!existsSync('/proc/self/status')).each([
    ['a head of 512 MiB at int4', 'int4', HEAD], ['a head of 512 MiB at float32', 'float32', HEAD], ['an expert of three times 256 MiB at int4', 'int4', EXPERT],
  ] as const)('of %s stays under 300 MB', async (_what, dtype, { piece, size, tensorBytes }) => {
    const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(piece), dtype, JSON.stringify(size)]);
    const { weightBytes, tookBytes } = JSON.parse(stdout) as { readonly weightBytes: number; readonly tookBytes: number };
    expect(weightBytes).toBeGreaterThan(tensorBytes / 8);
    expect(tookBytes).toBeLessThan(MOST_BYTES);
  });
});
