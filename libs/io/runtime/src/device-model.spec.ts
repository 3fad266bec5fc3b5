import { mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ExpertKey } from '@essaim/core';
import { type PieceKey, pieceName, WEIGHTS_FILE } from '@essaim/graph';
import { syntheticModel } from '../test/synthetic-model.ts';
import { compileIntoCache } from './compile.ts';
import { DeviceModel } from './device-model.ts';
import { GraphCache } from './graph-cache.ts';
import { type PieceFile } from './piece-file.ts';

/** On ONNX Runtime's own processor path, which is everywhere; `test/golden/devices.spec.ts` runs models on WebGPU. */

const compiled = syntheticModel({ hiddenSize: 64, expertSize: 96, vocabSize: 300, dtype: 'float32' });
let folder: string;
let model: DeviceModel;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'essaim-device-'));
  model = await DeviceModel.open({ spec: compiled.spec, device: { provider: 'cpu', index: 0 } });
});
afterEach(async () => {
  await model.close();
  rmSync(folder, { recursive: true });
});

const EXPERT: ExpertKey = { layer: 0, expert: 1 };
const PIECE: PieceKey = { kind: 'expert', ...EXPERT };
const compile = (key: PieceKey): Promise<PieceFile> => compileIntoCache(compiled, key, new GraphCache(folder), { onBytes: () => undefined });
const rows = (count: number): Float32Array => Float32Array.from({ length: count * 64 }, (_, index) => Math.sin(index));
const run = async (activations: Float32Array): Promise<Float32Array> => (await model.run(EXPERT.layer, [{ expert: EXPERT.expert, activations }]))[0]!;

describe('a piece', () => {
  it('is held from when it was loaded until it is unloaded, and its bytes with it', async () => {
    const [expert, head] = [await compile(PIECE), await compile({ kind: 'head' })];
    expect([model.holds(EXPERT), model.pieces(), model.weightBytes]).toEqual([false, [], 0]);
    await model.load(expert);
    await model.load(head);
    await model.load(head);
    expect(model.pieces().map(pieceName).sort()).toEqual(['expert.0.1', 'head']);
    expect([model.holds(EXPERT), model.holds({ layer: 0, expert: 0 }), model.weightBytes]).toEqual([true, false, expert.weightBytes + head.weightBytes]);
    await model.unload(PIECE);
    await model.unload(PIECE);
    expect([model.holds(EXPERT), model.pieces(), model.weightBytes]).toEqual([false, [{ kind: 'head' }], head.weightBytes]);
  });

  it('runs before it is held where it is the first expert, since what experts run is compiled then', async () => {
    await model.load(await compile(PIECE));
    const { runs } = model.use;
    expect(runs).toBe(3);
    await model.load(await compile({ ...PIECE, expert: 0 }));
    expect(model.use.runs).toBe(runs);
  });

  it('of a damaged file is refused, and is not there', async () => {
    const expert = await compile(PIECE);
    const weights = join(dirname(expert.modelFiles[0]!), WEIGHTS_FILE);
    truncateSync(weights, statSync(weights).size / 2);
    await expect(model.load(expert)).rejects.toMatchObject({ code: 'data_loss', message: expect.stringContaining('delete the cache folder') as string });
    expect(model.holds(EXPERT)).toBe(false);
  });
});

describe('experts of other leads', () => {
  it('give each row what they give it alone, and change no activation', async () => {
    await model.load(await compile(PIECE));
    const activations = rows(3);
    const together = await run(activations);
    expect(activations).toEqual(rows(3));
    for (let row = 0; row < 3; row++) expect(await run(activations.slice(row * 64, (row + 1) * 64))).toEqual(together.slice(row * 64, (row + 1) * 64));
  });

  it('that are not here are refused', async () => {
    await expect(run(rows(1))).rejects.toMatchObject({ code: 'failed_precondition' });
  });
});
