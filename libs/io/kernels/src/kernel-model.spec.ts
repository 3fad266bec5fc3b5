import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ExpertKey } from '@essaim/core';
import { type PanelPiece, pieceName } from '@essaim/panels';
import { modelOf, SMALL_SPECS } from '../test/model-of.ts';
import { openModel, packed } from '../test/open-model.ts';
import { type PanelFile } from './compile-panels.ts';
import { type KernelModel } from './kernel-model.ts';

const compiled = modelOf(SMALL_SPECS['grouped queries'], 'int8');
const { hiddenSize } = compiled.spec;
const EXPERT: ExpertKey = { layer: 1, expert: 2 };
const PIECE: PanelPiece = { kind: 'expert', ...EXPERT };
const HEAD: PanelPiece = { kind: 'head' };

let folder: string;
let model: KernelModel;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'essaim-kernel-model-'));
  model = await openModel(compiled);
});
afterEach(async () => {
  model.checkIntegrity();
  await model.close();
  rmSync(folder, { recursive: true });
});

const compile = (piece: PanelPiece): Promise<PanelFile> => packed(compiled, piece, folder);
const rows = (count: number): Float32Array => Float32Array.from({ length: count * hiddenSize }, (_, index) => Math.sin(index));
const run = async (activations: Float32Array): Promise<Float32Array> => (await model.run(EXPERT.layer, [{ expert: EXPERT.expert, activations }]))[0]!;

describe('a piece', () => {
  it('is held from when it was loaded until it is unloaded, and its bytes with it', async () => {
    const [expert, head] = [await compile(PIECE), await compile(HEAD)];
    expect([model.holds(EXPERT), model.pieces(), model.weightBytes]).toEqual([false, [], 0]);
    await model.load(expert);
    await model.load(head);
    expect(model.pieces().map(pieceName).sort()).toEqual(['expert.1.2', 'head']);
    expect([model.holds(EXPERT), model.holds({ layer: 1, expert: 0 }), model.weightBytes]).toEqual([true, false, expert.bytes + head.bytes]);
    model.checkIntegrity();
    await model.unload(PIECE);
    expect([model.holds(EXPERT), model.pieces(), model.weightBytes]).toEqual([false, [HEAD], head.bytes]);
  });

  it('is held once, whoever loads it how often, and may be unloaded where it is not', async () => {
    const expert = await compile(PIECE);
    await Promise.all([model.load(expert), model.load(expert), model.load(expert)]);
    await model.load(expert);
    expect([model.pieces(), model.weightBytes]).toEqual([[PIECE], expert.bytes]);
    model.checkIntegrity();
    await Promise.all([model.unload(PIECE), model.unload(PIECE)]);
    await model.unload(PIECE);
    expect(model.pieces()).toEqual([]);
  });

  it('leaves no memory taken, however it is loaded and unloaded at once', async () => {
    const expert = await compile(PIECE);
    for (let round = 0; round < 10; round++) {
      await Promise.all([model.load(expert), model.unload(PIECE), model.load(expert), model.unload(PIECE)]);
      model.checkIntegrity();
    }
    await model.unload(PIECE);
    expect(model.weightBytes).toBe(0);
  });

  it('gives the same after it was unloaded and loaded again, also where others lay meanwhile', async () => {
    const expert = await compile(PIECE);
    await model.load(expert);
    const first = await run(rows(3));
    await model.unload(PIECE);
    await model.load(await compile(HEAD));
    await model.load(expert);
    expect(await run(rows(3))).toEqual(first);
  });
});

describe('an expert', () => {
  it('that is not here is refused with a code that lets the caller go elsewhere', async () => {
    await expect(run(rows(1))).rejects.toMatchObject({ code: 'failed_precondition', message: 'expert 2 of layer 1 is not on this worker' });
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

describe('a file in the cache that is damaged', () => {
  const damages: [string, (file: string) => void][] = [
    ['is gone', (file) => rmSync(file)],
    ['is empty', (file) => truncateSync(file, 0)],
    ['is shorter', (file) => truncateSync(file, readFileSync(file).length - 64)],
    ['is longer', (file) => appendFileSync(file, Buffer.alloc(64))],
  ];

  it.each(damages)('because it %s is refused with a sentence, nothing of it is held, and it can be loaded when it is right', async (_what, damage) => {
    for (const piece of [PIECE, HEAD]) {
      const found = await compile(piece);
      const whole = readFileSync(found.file);
      damage(found.file);
      for (let time = 0; time < 2; time++) {
        await expect(model.load(found)).rejects.toMatchObject({ code: 'data_loss', message: expect.stringContaining('delete the cache folder') as string });
        expect([model.pieces(), model.weightBytes]).toEqual([[], 0]);
        model.checkIntegrity();
      }
      writeFileSync(found.file, whole);
      await model.load(found);
      await model.unload(piece);
    }
  });
});

describe('a model that is closed', () => {
  it('does what was asked before, refuses what is asked afterwards, and may be closed again', async () => {
    const expert = await compile(PIECE);
    await model.load(expert);
    const answer = await run(rows(2));
    const calls = [run(rows(2)), run(rows(2))];
    const closing = [model.close(), model.close()];
    for (const call of calls) expect(await call).toEqual(answer);
    await Promise.all(closing);
    await model.close();
    await expect(run(rows(2))).rejects.toMatchObject({ code: 'unavailable' });
    await expect(model.load(expert)).rejects.toMatchObject({ code: 'unavailable' });
    await model.unload(PIECE);
    expect(model.pieces()).toEqual([]);
  });

  it('holds nothing that was on its way', async () => {
    const loading = Promise.allSettled([compile(PIECE).then((file) => model.load(file)), compile(HEAD).then((file) => model.load(file))]);
    await model.close();
    for (const outcome of await loading) expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'unavailable' } });
    expect(model.pieces()).toEqual([]);
  });

  it('takes back what was kept of keys and values, and gives none', async () => {
    const kept = model.kvMemory.take(4000);
    await model.close();
    model.kvMemory.give(kept);
    expect(() => model.kvMemory.take(10)).toThrow('given up');
  });
});
