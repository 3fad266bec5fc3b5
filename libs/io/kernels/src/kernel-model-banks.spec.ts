import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultKvDtype, type ModelSpec, type WeightDtype } from '@essaim/core';
import { kvBytesPerToken, type KvCache, kvLayoutOf, KvPool } from '@essaim/kv';
import { differing, forward, type Given, idsOf, joined, rowsOf } from '../test/forward.ts';
import { modelOf, SMALL_SPECS } from '../test/model-of.ts';
import { openWhole } from '../test/open-model.ts';
import { type KernelModel } from './kernel-model.ts';
import { arenaFor } from './model-arena.ts';
import { kernelsModule } from './module.ts';
import { layoutsOf } from './piece-layouts.ts';

const PAGE = 65_536;

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'essaim-kernel-banks-'))));
afterAll(() => rmSync(folder, { recursive: true }));

/** Two sequences that grow by turns, in steps that both are part of. */
async function growing(model: KernelModel, spec: ModelSpec, pool: KvPool, places: (cache: KvCache) => void): Promise<Given[]> {
  const caches = [pool.reserve(400)!, pool.reserve(400)!];
  const ids = caches.map((_, seed) => idsOf(300, seed));
  const parts: Given[][] = [[], []];
  for (const counts of [[40, 3], [1, 90], [70, 1], [150, 1], [1, 150], [1, 1], [37, 54]]) {
    const step = await forward(model, spec, caches.map((cache, nth) => ({ cache, tokenIds: ids[nth]!.slice(cache.length, cache.length + counts[nth]!) })));
    const total = counts[0]! + counts[1]!;
    parts[0]!.push(rowsOf(step, total, 0, counts[0]!));
    parts[1]!.push(rowsOf(step, total, counts[0]!, total));
    for (const cache of caches) places(cache);
  }
  for (const cache of caches) cache.release();
  return parts.map(joined);
}

const CASES = (['grouped queries', 'latent attention'] as const).flatMap((what) => (['float32', 'int4'] as const satisfies WeightDtype[]).map((dtype) => ({ what, spec: SMALL_SPECS[what], dtype })));

describe.each(CASES)('a model with $what at $dtype', ({ spec, dtype }) => {
  const compiled = modelOf(spec, dtype);
  const layout = kvLayoutOf(spec, defaultKvDtype(dtype));
  const tokenBytes = kvBytesPerToken(layout);
  const plain = async (): Promise<Given[]> => {
    const model = await openWhole(compiled, { folder });
    const given = await growing(model, spec, new KvPool(layout, 800 * tokenBytes, model.kvMemory), () => undefined);
    await model.close();
    return given;
  };

  it('gives the same bits in many small memories, between which keys and values move as sequences grow', async () => {
    const arena = arenaFor(spec, layoutsOf(compiled), { module: await kernelsModule(), threads: 2 });
    const bankBytes = PAGE * Math.ceil((PAGE + arena.bytes + 210 * tokenBytes) / PAGE);
    const model = await openWhole(compiled, { folder, threads: 2, bankBytes });
    // Of the first of them, no more than that: memories are whole pages.
    model.kvMemory.take(bankBytes - PAGE - arena.bytes - 210 * tokenBytes);
    const buffers = new Set<ArrayBufferLike>();
    const given = await growing(model, spec, new KvPool(layout, 800 * tokenBytes, model.kvMemory), ({ buffer: { layers } }) => layers.forEach(({ buffer }) => void buffers.add(buffer)));
    expect(buffers.size).toBeGreaterThan(1);
    for (const [nth, expected] of (await plain()).entries()) expect(differing(given[nth]!, expected)).toEqual([]);
    model.checkIntegrity();
    await model.close();
  });

  it('gives the same bits where keys and values lie beyond 2 GiB', async () => {
    const model = await openWhole(compiled, { folder, threads: 2 });
    // Nobody writes there: only what is written to is memory.
    model.kvMemory.take(2 ** 31 + 2 ** 29);
    const given = await growing(model, spec, new KvPool(layout, 800 * tokenBytes, model.kvMemory), ({ buffer: { layers } }) => layers.forEach(({ byteOffset }) => expect(byteOffset).toBeGreaterThan(2 ** 31)));
    for (const [nth, expected] of (await plain()).entries()) expect(differing(given[nth]!, expected)).toEqual([]);
    await model.close();
  });
});

describe('weights in several memories', () => {
  it('give the bits that they give in one, the experts of a call among them', async () => {
    const spec = { ...SMALL_SPECS['grouped queries'], feedForward: { ...SMALL_SPECS['grouped queries'].feedForward, size: 500, expertCount: 6 } };
    const compiled = modelOf(spec, 'float32');
    const arena = arenaFor(spec, layoutsOf(compiled), { module: await kernelsModule(), threads: 2 });
    const given: Given[] = [];
    for (const bankBytes of [2 ** 32, PAGE * Math.ceil((2 * PAGE + arena.bytes + 400_000) / PAGE)]) {
      const model = await openWhole(compiled, { folder, threads: 2, bankBytes });
      if (bankBytes < 2 ** 32) expect(model.weightBytes).toBeGreaterThan(3 * (bankBytes - arena.bytes));
      const pool = new KvPool(kvLayoutOf(spec, 'f32'), 1 << 20, model.kvMemory);
      given.push(await forward(model, spec, [{ cache: pool.reserve(40)!, tokenIds: idsOf(40, 1) }]));
      await model.close();
    }
    expect(differing(given[0]!, given[1]!)).toEqual([]);
  });
});
