import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultKvDtype, type WeightDtype, WEIGHT_DTYPES } from '@essaim/core';
import { type KvCache, kvLayoutOf, KvPool } from '@essaim/kv';
import { differing, forward, type Given, idsOf, joined, rowsOf } from '../test/forward.ts';
import { modelOf, SMALL_SPECS } from '../test/model-of.ts';
import { openWhole } from '../test/open-model.ts';
import { type KernelModel } from './kernel-model.ts';

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'essaim-expanded-'))));
afterAll(() => rmSync(folder, { recursive: true }));

const SPECS = ['latent attention', 'latent attention without a query latent'] as const;
const CASES = SPECS.flatMap((what) => WEIGHT_DTYPES.map((dtype) => ({ what, spec: SMALL_SPECS[what], dtype })));
/** Enough for keys and values to be made, whatever the form of the weights. */
const LONG = 200;
/** The same where there is nothing before them. */
const FIRST = 8;

describe.each(CASES)('many rows at once, of $what at $dtype', ({ spec, dtype }) => {
  const withModel = async <T>(threads: number, use: (model: KernelModel, cache: () => KvCache) => Promise<T>): Promise<T> => {
    const model = await openWhole(modelOf(spec, dtype), { folder, threads });
    const pool = new KvPool(kvLayoutOf(spec, defaultKvDtype(dtype)), 16 << 20, model.kvMemory);
    try {
      return await use(model, () => pool.reserve(spec.contextLength)!);
    } finally {
      await model.close();
    }
  };
  const inSteps = async (model: KernelModel, cache: KvCache, counts: readonly number[], sameInAnyChunk: boolean): Promise<Given> => {
    const ids = idsOf(counts.reduce((sum, count) => sum + count), 1);
    const parts: Given[] = [];
    for (const count of counts) parts.push(await forward(model, spec, [{ cache, tokenIds: ids.slice(cache.length, cache.length + count) }], { sameInAnyChunk }));
    return joined(parts);
  };

  it('is what each row gives by itself, up to rounding', () => withModel(1, async (model, cache) => {
    const counts = [1, LONG, LONG + 7];
    const [expanded, absorbed] = [await inSteps(model, cache(), counts, false), await inSteps(model, cache(), counts, true)];
    const total = counts.reduce((sum, count) => sum + count);
    const differs = differing(rowsOf(expanded, total, 1, total), rowsOf(absorbed, total, 1, total));
    expect(differs).toContain('next.0');
    expect(differing(rowsOf(expanded, total, 0, 1), rowsOf(absorbed, total, 0, 1))).toEqual([]);
    expect(furthest(expanded['next.0']!, absorbed['next.0']!)).toBeLessThan(MOST[dtype]);
  }));

  it('is made of few rows too where a sequence begins', () => withModel(1, async (model, cache) => {
    const [fewer, first] = [await inSteps(model, cache(), [FIRST - 1], false), await inSteps(model, cache(), [FIRST], false)];
    const absorbed = await inSteps(model, cache(), [FIRST], true);
    expect(differing(fewer, rowsOf(absorbed, FIRST, 0, FIRST - 1))).toEqual([]);
    expect(differing(first, absorbed)).toContain('next.0');
    expect(furthest(first['next.0']!, absorbed['next.0']!)).toBeLessThan(MOST[dtype]);
  }));

  it('gives the same bits whoever computes, in chunks of any size that are large enough, and beside sequences of few rows, which stay as they are', async () => {
    const [known, few, many] = [5, 43, 2 * LONG + 9];
    const { whole, alone } = await withModel(1, async (model, cache) => (
      { whole: await inSteps(model, cache(), [LONG + 9, LONG], false), alone: rowsOf(await inSteps(model, cache(), [known, few], true), known + few, known, known + few) }
    ));
    await withModel(3, async (model, cache) => {
      expect(differing(await inSteps(model, cache(), [LONG, LONG + 9], false), whole)).toEqual([]);
      const before = cache();
      await inSteps(model, before, [known], false);
      const step = await forward(model, spec, [{ cache: before, tokenIds: idsOf(known + few, 1).slice(known) }, { cache: cache(), tokenIds: idsOf(LONG, 1) }], { sameInAnyChunk: false });
      expect(differing(rowsOf(step, few + LONG, 0, few), alone)).toEqual([]);
      expect(differing(rowsOf(step, few + LONG, few, few + LONG), rowsOf(whole, many, 0, LONG))).toEqual([]);
    });
  });
});

/** Of what the first layer's attention leaves; values there are about 1. Codes of keys are others where they are made than where queries are turned. */
const MOST: Readonly<Record<WeightDtype, number>> = { float32: 1e-5, int8: 0.05, int4: 0.5 };

const furthest = (values: Float32Array, expected: Float32Array): number => values.reduce((worst, value, i) => Math.max(worst, Math.abs(value - expected[i]!)), 0);
