import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ModelSpec } from '@essaim/core';
import { CompiledCache } from '@essaim/files';
import { KernelModel, packIntoCache } from '@essaim/kernels';
import { expertPieces, leadPieces } from '@essaim/panels';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { check } from './check.ts';
import { measureShape } from './measure.ts';
import { SHAPES } from './models.ts';
import { randomModel } from './random-model.ts';

/** Large 3 in small: sizes that divide into whole blocks and panels, as its own do, and two that don't. */
const SPEC: ModelSpec = {
  ...SHAPES['large-3'], vocabSize: 1003, hiddenSize: 160,
  attention: { ...SHAPES['large-3'].attention, headCount: 4, queryRank: 96, latentRank: 64, plainSize: 32, rotarySize: 16, valueSize: 32 },
  feedForward: { ...SHAPES['large-3'].feedForward, size: 72, sharedSize: 64, expertCount: 6 },
};

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'essaim-shapes-'))));
afterEach(() => rmSync(folder, { recursive: true }));

describe('a shape', () => {
  it.each(['int8', 'int4'] as const)('at %s is packed, loaded, close to float64 in every part, timed, and gone from the disk', async (dtype) => {
    const options = { spec: SPEC, threads: 1, rounds: 1, folder, note: () => undefined, signal: new AbortController().signal };
    const { parts } = await measureShape({ name: 'large-3', dtype, experts: 5 }, options);
    expect(parts.map(({ name }) => name)).toEqual(['embedding', 'attention and router', 'shared expert', '5 experts', 'head']);
    expect(parts[0]).toMatchObject({ error: 0, weightBytes: 2 * 1003 * 160 });
    for (const { error } of parts.slice(1)) expect(error > 0 && error < 0.03, `${error}`).toBe(true);
    expect(parts[1]!.rowMs.map(({ context }) => context)).toEqual([1, 1024, 8192]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('whose kernels have other weights than it was asked about is refused', async () => {
    const panels = { spec: SPEC, weights: randomModel(SPEC, 1), dtype: 'int8' as const };
    const model = await KernelModel.open({ model: panels, threads: 1, threadEntry: null });
    for (const piece of [...leadPieces(SPEC), ...expertPieces(SPEC)]) await model.load(await packIntoCache(panels, piece, new CompiledCache(folder), { onBytes: () => undefined }));
    const other = randomModel(SPEC, 2);
    const weights = { ...panels.weights, layers: [{ ...panels.weights.layers[0]!, attention: other.layers[0]!.attention }] };
    await expect(check({ model, spec: SPEC, weights, dtype: 'int8', experts: 6 })).rejects.toMatchObject({ code: 'internal', message: expect.stringMatching(/^attention behind 0 tokens computes something else/) as string });
    await model.close();
  });

  it('that memory has no room for is refused before anything is packed', async () => {
    const large = { ...SPEC, vocabSize: 1 << 30 };
    const options = { spec: large, threads: 1, rounds: 1, folder, note: () => undefined, signal: new AbortController().signal };
    await expect(measureShape({ name: 'large-3', dtype: 'int4', experts: 1 }, options)).rejects.toMatchObject({ code: 'resource_exhausted', message: expect.stringMatching(/these weights need \d+\.\d GB of memory and .* are free/) as string });
  });
});
