import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultKvDtype, type ModelSpec, type WeightDtype, WEIGHT_DTYPES } from '@essaim/core';
import { type KvCache, kvLayoutOf, KvPool } from '@essaim/kv';
import { differing, forward, type Given, idsOf, joined, rowsOf } from '../test/forward.ts';
import { modelOf, SMALL_SPECS } from '../test/model-of.ts';
import { openWhole, type OpenOptions } from '../test/open-model.ts';
import { HEAD_ROWS, JOB_ROWS } from './arena.ts';
import { type KernelModel } from './kernel-model.ts';

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'essaim-kernel-bits-'))));
afterAll(() => rmSync(folder, { recursive: true }));

const POOL_BYTES = 64 << 20;

/** A model with all its pieces, and caches for its sequences. */
interface Opened {
  readonly spec: ModelSpec;
  readonly model: KernelModel;
  cache(): KvCache;
}

async function withModel<T>(use: (opened: Opened) => Promise<T>, { spec, dtype, ...options }: { readonly spec: ModelSpec; readonly dtype: WeightDtype } & Omit<OpenOptions, 'folder'>): Promise<T> {
  const model = await openWhole(modelOf(spec, dtype), { ...options, folder });
  const pool = new KvPool(kvLayoutOf(spec, defaultKvDtype(dtype)), POOL_BYTES, model.kvMemory);
  try {
    return await use({ spec, model, cache: () => pool.reserve(spec.contextLength)! });
  } finally {
    model.checkIntegrity();
    await model.close();
  }
}

/** A sequence of so many tokens in steps of their own. */
async function inSteps({ spec, model, cache }: Opened, ids: readonly number[], counts: readonly number[]): Promise<Given> {
  const own = cache();
  const parts: Given[] = [];
  let first = 0;
  for (const count of counts) parts.push(await forward(model, spec, [{ cache: own, tokenIds: ids.slice(first, (first += count)) }]));
  expect(first).toBe(ids.length);
  return joined(parts);
}

const SPECS = Object.entries(SMALL_SPECS) as [string, ModelSpec][];
const CASES = SPECS.flatMap(([what, spec]) => WEIGHT_DTYPES.map((dtype) => ({ what, spec, dtype })));

describe.each(CASES)('every piece of a model with $what at $dtype', ({ spec, dtype }) => {
  it('gives the same bits whoever computes, whatever else is in the step, however a sequence is cut into steps', async () => {
    const ids = [idsOf(70, 1), idsOf(1, 2), idsOf(40, 3)];
    const together = async ({ model, cache }: Opened, alone: readonly Given[]): Promise<void> => {
      const step = await forward(model, spec, ids.map((tokenIds) => ({ cache: cache(), tokenIds })));
      let row = 0;
      for (const [nth, { length }] of ids.entries()) expect(differing(rowsOf(step, 111, row, (row += length)), alone[nth]!)).toEqual([]);
    };
    const alone = await withModel(async (opened) => {
      const whole = await Promise.all(ids.map((each) => inSteps(opened, each, [each.length])));
      expect(differing(await inSteps(opened, ids[0]!, [1, 33, 1, 1, 3, 31]), whole[0]!)).toEqual([]);
      await together(opened, whole);
      return whole;
    }, { spec, dtype });
    for (const threads of [2, 3]) await withModel((opened) => together(opened, alone), { spec, dtype, threads });
  });
});

const BORDERS = CASES.filter(({ what, dtype }) => (what === 'grouped queries' || what === 'latent attention') && dtype !== 'int8');

describe.each(BORDERS)('more rows than a job has room for, of $what at $dtype', ({ spec, dtype }) => {
  it('give the bits that they give in several steps, also where a sequence lies across', async () => {
    const counts = [JOB_ROWS - 6, 30, JOB_ROWS + 9, 1];
    const total = counts.reduce((sum, count) => sum + count);
    const ids = counts.map(idsOf);
    await withModel(async (opened) => {
      const step = await forward(opened.model, spec, ids.map((tokenIds) => ({ cache: opened.cache(), tokenIds })));
      let row = 0;
      for (const [nth, count] of counts.entries()) {
        const inParts = await inSteps(opened, ids[nth]!, count < 20 ? [count] : [20, count - 20]);
        expect(differing(rowsOf(step, total, row, (row += count)), inParts)).toEqual([]);
      }
      expect(total).toBeGreaterThan(2 * HEAD_ROWS);
    }, { spec, dtype, threads: 2 });
  });
});

describe('experts', () => {
  it('give together what each gives alone, in the order in which they were asked for, however many rows', () => withModel(async ({ spec, model }) => {
    const rows = (count: number): Float32Array => Float32Array.from({ length: count * spec.hiddenSize }, (_, index) => Math.sin(index * index));
    const groups = [{ expert: 2, activations: rows(3) }, { expert: 0, activations: rows(JOB_ROWS + 40) }, { expert: 2, activations: rows(1) }, { expert: 1, activations: rows(JOB_ROWS) }];
    const together = await model.run(1, groups);
    for (const [nth, group] of groups.entries()) expect(differing({ expert: together[nth]! }, { expert: (await model.run(1, [group]))[0]! })).toEqual([]);
    expect(await model.run(1, [])).toEqual([]);
  }, { spec: SMALL_SPECS['grouped queries'], dtype: 'int4', threads: 2 }));
});

describe.each(SPECS)('a value that is no number, with %s', (_what, spec) => {
  it.each(WEIGHT_DTYPES)('stays in its row, or its sequence, at %s', (dtype) => withModel(async ({ model, cache }) => {
    const ids = [idsOf(5, 1), idsOf(6, 2), idsOf(7, 3)];
    const step = (onHidden: (layer: number, hidden: Float32Array) => void) => forward(model, spec, ids.map((tokenIds) => ({ cache: cache(), tokenIds })), { onHidden });
    const sound = await step(() => undefined);
    // The third token of the second sequence, before the second layer.
    const tainted = await step((layer, hidden) => layer === 1 && void (hidden[(5 + 2) * spec.hiddenSize + 3] = NaN));
    const after = Object.keys(sound).filter((name) => name.includes('.1') || name === 'head');
    for (const [first, end] of [[0, 7], [11, 18]] as const) expect(differing(rowsOf(tainted, 18, first, end), rowsOf(sound, 18, first, end))).toEqual([]);
    const row = rowsOf(tainted, 18, 7, 8);
    for (const name of after) expect([name, row[name]!.every(Number.isNaN)]).toEqual([name, true]);
    // Those behind it attend to it.
    expect(rowsOf(tainted, 18, 8, 9)['head']!.every(Number.isNaN)).toBe(true);
  }, { spec, dtype, threads: 2 }));
});
