import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '@essaim/core';
import { compilePiece, type Graph, graphDigest, WEIGHTS_FILE } from '@essaim/graph';
import { syntheticModel } from '../test/synthetic-model.ts';
import { GraphCache } from './graph-cache.ts';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'essaim-cache-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const compiled = (): Graph => compilePiece(syntheticModel({ hiddenSize: 64, expertSize: 96, vocabSize: 300, dtype: 'int4' }), { kind: 'expert', layer: 0, expert: 1 })[0]!;
const graph = compiled();
const digest = await graphDigest(graph);
const ignored = (): void => undefined;

/** Where a graph's weights must lie in the file, as one piece of memory. */
async function weightBytes({ weights }: Graph): Promise<Buffer> {
  const bytes = Buffer.alloc(Math.max(...weights.map(({ offset, byteLength }) => offset + byteLength)));
  for (const weight of weights) {
    let position = weight.offset;
    for await (const chunk of weight.chunks()) position += Buffer.from(chunk).copy(bytes, position);
  }
  return bytes;
}

async function expectWhole(cache: GraphCache): Promise<void> {
  expect(cache.has(digest)).toBe(true);
  const entry = dirname(cache.modelFile(digest));
  expect(readdirSync(entry).sort()).toEqual(['model.onnx', WEIGHTS_FILE].sort());
  expect(readFileSync(cache.modelFile(digest)).equals(graph.model)).toBe(true);
  expect(readFileSync(join(entry, WEIGHTS_FILE)).equals(await weightBytes(graph))).toBe(true);
}

describe('a graph that is written', () => {
  it('has its model and every weight at its place, and is found from then on', async () => {
    const cache = new GraphCache(folder);
    expect(cache.has(digest)).toBe(false);
    await cache.write(digest, graph, ignored);
    await expectWhole(cache);
    expect(readdirSync(folder)).toEqual([digest]);
    expect(new GraphCache(folder).has(digest)).toBe(true);
  });

  it('makes the folder that it lies in', async () => {
    const cache = new GraphCache(join(folder, 'not', 'there yet'));
    await cache.write(digest, graph, ignored);
    await expectWhole(cache);
  });

  it('tells of every byte once', async () => {
    let told = 0;
    await new GraphCache(folder).write(digest, graph, (bytes) => (told += bytes));
    expect(told).toBe(graph.weights.reduce((sum, { byteLength }) => sum + byteLength, 0));
  });

  it('by several at once is there once, whole, with nothing left over', async () => {
    const caches = Array.from({ length: 6 }, () => new GraphCache(folder));
    await Promise.all(caches.map((cache) => cache.write(digest, compiled(), ignored)));
    await expectWhole(caches[0]!);
    expect(readdirSync(folder)).toEqual([digest]);
  });

  it('again, when it is there already, changes nothing', async () => {
    const cache = new GraphCache(folder);
    await cache.write(digest, graph, ignored);
    await cache.write(digest, graph, ignored);
    await expectWhole(cache);
    expect(readdirSync(folder)).toEqual([digest]);
  });
});

describe('what a crashed writer left', () => {
  it('is not taken for the graph and does not hinder the next writer', async () => {
    const left = `${digest}.0123456789ab.part`;
    mkdirSync(join(folder, left));
    writeFileSync(join(folder, left, WEIGHTS_FILE), 'half of it');
    const cache = new GraphCache(folder);
    expect(cache.has(digest)).toBe(false);
    await cache.write(digest, graph, ignored);
    await expectWhole(cache);
  });
});

describe('a writer that fails', () => {
  it('leaves nothing behind and gives the reader\'s own error', async () => {
    const broken: Graph = {
      ...graph,
      weights: graph.weights.map((weight) => ({
        ...weight,
        async *chunks() {
          yield new Uint8Array(16);
          throw new AppError('data_loss', 'model.safetensors ends before byte 100');
        },
      })),
    };
    const cache = new GraphCache(folder);
    await expect(cache.write(digest, broken, ignored)).rejects.toMatchObject({ code: 'data_loss', message: 'model.safetensors ends before byte 100' });
    expect([cache.has(digest), readdirSync(folder)]).toEqual([false, []]);
  });

  it('says what to do about a graph that lost a file', async () => {
    const cache = new GraphCache(folder);
    await cache.write(digest, graph, ignored);
    rmSync(cache.modelFile(digest));
    await expect(cache.write(digest, graph, ignored)).rejects.toMatchObject({ code: 'data_loss', message: expect.stringContaining('delete the cache folder') as string });
    expect(readdirSync(folder)).toEqual([digest]);
  });

  it('says what to do about a folder that is none', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(new GraphCache(join(folder, 'file')).write(digest, graph, ignored)).rejects.toMatchObject({ code: 'failed_precondition', message: expect.stringMatching(/can't be written \(ENOTDIR\).*--state-dir/) as string });
  });

  it.skipIf(!canMount())('says what to do about a full disk, and frees what it took of it', async () => {
    const script = fileURLToPath(new URL('../test/write-to-full-disk.ts', import.meta.url));
    const { stdout } = await promisify(execFile)('unshare', ['-rm', 'sh', '-c', 'mount -t tmpfs -o size=256k none "$0" && exec "$1" "$2" "$0"', folder, process.execPath, script]);
    expect(JSON.parse(stdout)).toEqual({ code: 'resource_exhausted', message: 'the disk of the state folder is full: free some space or give --state-dir a larger disk', has: false, left: [] });
  });
});

/** Whether this user may have a small disk of its own, as Linux lets most. */
function canMount(): boolean {
  if (!existsSync('/proc/self/ns/user')) return false;
  try {
    execFileSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe('what a process left that ended while it wrote', () => {
  it('is removed an hour later, and nothing else is', async () => {
    const cache = new GraphCache(folder);
    await cache.write(digest, graph, ignored);
    for (const name of ['old.part', 'empty.part']) mkdirSync(join(folder, name));
    writeFileSync(join(folder, 'old.part', WEIGHTS_FILE), 'half');
    const hours = (count: number): Date => new Date(Date.now() + count * 3_600_000);
    await cache.removeAbandoned(hours(0.9));
    expect(readdirSync(folder)).toHaveLength(3);
    await cache.removeAbandoned(hours(1.1));
    expect(readdirSync(folder)).toEqual([digest]);
  });

  it('is no matter where there is no cache yet', async () => {
    await new GraphCache(join(folder, 'nowhere')).removeAbandoned(new Date());
  });
});
