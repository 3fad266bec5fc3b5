import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ExpertKey, type WeightDtype } from '@essaim/core';
import { type PieceKey, pieceName, WEIGHTS_FILE } from '@essaim/graph';
import { syntheticModel } from '../test/synthetic-model.ts';
import { compileIntoCache } from './compile.ts';
import { GraphCache } from './graph-cache.ts';
import { OnnxModel } from './onnx-model.ts';
import { type PieceFile } from './piece-file.ts';

let folder: string;
let model: OnnxModel;
const compiled = syntheticModel({ hiddenSize: 64, expertSize: 96, vocabSize: 300, dtype: 'float32' });
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'essaim-model-'));
  model = new OnnxModel(compiled.spec, { threads: 1 });
});
afterEach(async () => {
  await model.close();
  rmSync(folder, { recursive: true });
});

const compile = (key: PieceKey): Promise<PieceFile> => compileIntoCache(compiled, key, new GraphCache(folder), { onBytes: () => undefined });
const EXPERT: ExpertKey = { layer: 0, expert: 1 };
const PIECE: PieceKey = { kind: 'expert', ...EXPERT };
const run = async (activations: Float32Array, on = model): Promise<Float32Array> => (await on.run(EXPERT.layer, [{ expert: EXPERT.expert, activations }]))[0]!;
const rows = (count: number): Float32Array => Float32Array.from({ length: count * 64 }, (_, index) => Math.sin(index));

describe('a piece', () => {
  it('is held from when it was loaded until it is unloaded, and its bytes with it', async () => {
    const [expert, head] = [await compile(PIECE), await compile({ kind: 'head' })];
    expect([model.holds(EXPERT), model.keys(), model.weightBytes]).toEqual([false, [], 0]);
    await model.load(expert);
    await model.load(head);
    expect(model.keys().map(pieceName).sort()).toEqual(['expert.0.1', 'head']);
    expect([model.holds(EXPERT), model.holds({ layer: 0, expert: 0 }), model.weightBytes]).toEqual([true, false, expert.weightBytes + head.weightBytes]);
    await model.unload(PIECE);
    expect([model.holds(EXPERT), model.keys(), model.weightBytes]).toEqual([false, [{ kind: 'head' }], head.weightBytes]);
  });

  it('is loaded once, whoever asks how often, and may be unloaded where it is not', async () => {
    const expert = await compile(PIECE);
    await model.load(expert);
    await model.load(expert);
    expect([model.keys(), model.weightBytes]).toEqual([[PIECE], expert.weightBytes]);
    await model.unload(PIECE);
    await model.unload(PIECE);
    expect(model.keys()).toEqual([]);
  });

  it('gives the same after it was unloaded and loaded again', async () => {
    const expert = await compile(PIECE);
    await model.load(expert);
    const first = await run(rows(3));
    await model.unload(PIECE);
    await model.load(expert);
    expect(await run(rows(3))).toEqual(first);
  });
});

describe('an expert', () => {
  it('computes each row by itself, whatever else is in the batch', async () => {
    await model.load(await compile(PIECE));
    const all = await run(rows(9));
    expect(all).toHaveLength(9 * 64);
    for (const row of [0, 4, 8]) expect(await run(rows(9).slice(row * 64, (row + 1) * 64))).toEqual(all.slice(row * 64, (row + 1) * 64));
  });

  it('gives the same beside others as alone, in the order in which they were asked for', async () => {
    for (const expert of [0, 1]) await model.load(await compile({ kind: 'expert', layer: 0, expert }));
    const together = await model.run(0, [{ expert: 1, activations: rows(2) }, { expert: 0, activations: rows(3) }]);
    expect(together).toEqual([await run(rows(2)), (await model.run(0, [{ expert: 0, activations: rows(3) }]))[0]]);
  });

  it('that is not here is refused with a code that lets the caller go elsewhere', async () => {
    await expect(run(rows(1))).rejects.toMatchObject({ code: 'failed_precondition', message: expect.stringContaining('expert 1 of layer 0') as string });
  });

  it('that is unloaded while it is called answers or is refused like one that is not here', async () => {
    const expert = await compile(PIECE);
    await model.load(expert);
    const answer = await run(rows(2));
    for (let round = 0; round < 5; round++) {
      const calls = Array.from({ length: 3 }, () => run(rows(2)));
      const outcomes = Promise.allSettled(calls);
      await model.unload(PIECE);
      for (const outcome of await outcomes) {
        if (outcome.status === 'fulfilled') expect(outcome.value).toEqual(answer);
        else expect(outcome.reason).toMatchObject({ code: 'failed_precondition' });
      }
      await model.load(expert);
    }
  });
});

describe('quantised pieces', () => {
  // 64 is two blocks of 32; 80 and 72 leave a part of a block, 40 is little more than one.
  it.each([[64, 96], [80, 72], [40, 33], [30, 8]])('of widths %i and %i are as near to float32 as their bits allow', async (hiddenSize, expertSize) => {
    const input = Float32Array.from({ length: 5 * hiddenSize }, (_, index) => Math.sin(index * index));
    const outputs = async (dtype: WeightDtype): Promise<Float32Array[]> => {
      const sized = syntheticModel({ hiddenSize, expertSize, vocabSize: 50, dtype });
      const own = new OnnxModel(sized.spec, { threads: 1 });
      for (const key of [PIECE, { kind: 'head' } as const]) await own.load(await compileIntoCache(sized, key, new GraphCache(folder), { onBytes: () => undefined }));
      const both = [await run(input, own), await own.head(input)];
      await own.close();
      return both;
    };
    const exact = await outputs('float32');
    for (const [dtype, most] of [['int8', 0.03], ['int4', 0.25]] as const) {
      for (const [nth, output] of (await outputs(dtype)).entries()) expect(relativeError(output, exact[nth]!)).toBeLessThan(most);
    }
  });
});

describe('a model of two slices', () => {
  const sliced = syntheticModel({ hiddenSize: 64, expertSize: 64, vocabSize: 301, dtype: 'float32' });
  const threadEntry = new URL('../test/compute.thread.ts', import.meta.url);
  const compileSliced = (key: PieceKey): Promise<PieceFile> => compileIntoCache({ ...sliced, slices: 2 }, key, new GraphCache(folder), { onBytes: () => undefined });
  const withSlices = async (use: (own: OnnxModel) => Promise<void>): Promise<void> => {
    const own = new OnnxModel(sliced.spec, { threads: 2, slices: 2, threadEntry });
    try {
      await use(own);
    } finally {
      await own.close();
    }
  };

  it('computes what one of one slice does, also where the vocabulary is odd', () => withSlices(async (own) => {
    for (const key of [PIECE, { kind: 'head' } as const]) {
      await own.load(await compileSliced(key));
      await model.load(await compileIntoCache(sliced, key, new GraphCache(folder), { onBytes: () => undefined }));
    }
    const group = [{ expert: EXPERT.expert, activations: rows(3) }];
    const pairs = [[(await own.run(EXPERT.layer, group))[0]!, (await model.run(EXPERT.layer, group))[0]!], [await own.head(rows(3)), await model.head(rows(3))]] as const;
    for (const [actual, expected] of pairs) {
      expect(actual).toHaveLength(expected.length);
      expect(relativeError(actual, expected)).toBeLessThan(1e-6);
    }
  }));

  it('says why where the part of another thread can not be loaded, holds nothing of it, and goes on', () => withSlices(async (own) => {
    const file = await compileSliced(PIECE);
    const whole = readFileSync(file.modelFiles[1]!);
    truncateSync(file.modelFiles[1]!, 10);
    await expect(own.load(file)).rejects.toMatchObject({ code: 'data_loss', message: expect.stringContaining('delete the cache folder') as string, cause: expect.any(Error) as Error });
    expect([own.keys(), own.weightBytes]).toEqual([[], 0]);
    writeFileSync(file.modelFiles[1]!, whole);
    await own.load(file);
    expect(await own.run(EXPERT.layer, [{ expert: EXPERT.expert, activations: rows(2) }])).toHaveLength(1);
  }));

  it('refuses a piece that was compiled for another number of slices', () => withSlices(async (own) => {
    await expect(own.load(await compile(PIECE))).rejects.toThrow('as many slices');
  }));
});

/** Root mean square of the difference over that of the values themselves. */
function relativeError(actual: Float32Array, expected: Float32Array): number {
  const sum = (values: Float32Array): number => values.reduce((total, value) => total + value * value, 0);
  return Math.sqrt(sum(actual.map((value, index) => value - expected[index]!)) / sum(expected));
}

describe('a file in the cache that is damaged', () => {
  const damages: [string, (file: string) => void][] = [
    ['has no weights', (file) => rmSync(join(dirname(file), WEIGHTS_FILE))],
    ['has too few weights', (file) => truncateSync(join(dirname(file), WEIGHTS_FILE), statSync(join(dirname(file), WEIGHTS_FILE)).size - 5000)],
    ['has no model', (file) => rmSync(file)],
    ['has another model', (file) => writeFileSync(file, 'not a graph')],
    ['has half a model', (file) => truncateSync(file, statSync(file).size >> 1)],
    ['has an empty model', (file) => truncateSync(file, 0)],
  ];

  it.each(damages.flatMap(([what, damage]) => (['expert', 'head'] as const).map((kind) => ({ what, kind, damage }))))('because it $what is refused with a sentence, for a $kind', async ({ kind, damage }) => {
    const file = await compile(kind === 'head' ? { kind } : PIECE);
    damage(file.modelFiles[0]!);
    await expect(model.load(file)).rejects.toMatchObject({ code: 'data_loss', message: expect.stringContaining('delete the cache folder') as string });
    expect([model.keys(), model.weightBytes]).toEqual([[], 0]);
  });
});
