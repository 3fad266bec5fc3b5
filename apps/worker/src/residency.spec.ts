import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Checkpoint, openCheckpoint } from '@essaim/checkpoint';
import { AppError, type ExpertKey, type LoadProgress, type WorkerRoles } from '@essaim/core';
import { CompiledCache, openCheckpointFolder } from '@essaim/files';
import { findInCache, KernelModel, packIntoCache } from '@essaim/kernels';
import { expertPieces, leadPieces, type PanelModel, type PanelPiece, pieceName } from '@essaim/panels';
import { hosting, peer, SELF, snapshot } from '../test/samples.ts';
import { Residency, type ResidencyOptions } from './residency.ts';

const PETIT = join(import.meta.dirname, '../../../deploy/models/petit');
const SIZE = { layers: 6, experts: 8 };

let folder: string;
let checkpoint: Checkpoint;
let compiled: PanelModel;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'essaim-residency-'));
  checkpoint = await openCheckpoint(openCheckpointFolder(PETIT));
  compiled = { spec: checkpoint.spec, weights: checkpoint.weights, dtype: 'int8' };
});
afterAll(async () => {
  await checkpoint.close();
  rmSync(folder, { recursive: true });
});

let model: KernelModel;
beforeEach(async () => void (model = await KernelModel.open({ model: compiled, threads: 1, threadEntry: null })));
afterEach(() => model.close());

/** Compiles on this thread. */
const inline: ResidencyOptions['compiler'] = {
  compile: (key, onBytes) => packIntoCache(compiled, key, new CompiledCache(folder), { onBytes }),
};

const residencyWith = (options: Partial<ResidencyOptions> = {}): Residency => new Residency({ self: SELF, compiled, model, admit: () => undefined, find: () => Promise.resolve(null), compiler: inline, pace: { load: (load) => load() }, onChange: () => undefined, ...options });

let epoch = 0;
const wanting = (keys: readonly ExpertKey[], roles: WorkerRoles = { lead: true, expert: true }) => snapshot(++epoch, { workers: [peer(SELF, { roles })], placement: hosting(keys, SIZE) });

const LEAD = (): string[] => leadPieces(compiled.spec).map(pieceName);
const experts = (keys: readonly ExpertKey[]): string[] => keys.map((key) => pieceName({ kind: 'expert', ...key }));
const held = (): string[] => model.pieces().map(pieceName).sort();

const FEW: readonly ExpertKey[] = [{ layer: 0, expert: 1 }, { layer: 2, expert: 7 }, { layer: 5, expert: 0 }];
const OTHERS: readonly ExpertKey[] = [{ layer: 0, expert: 1 }, { layer: 1, expert: 1 }, { layer: 4, expert: 3 }];

describe('a worker\'s residency', () => {
  it('is the dense part and the experts that the snapshot wants', async () => {
    const residency = residencyWith();
    expect([residency.leadReady, residency.isComplete, residency.hosted()]).toEqual([false, false, []]);
    await residency.follow(wanting(FEW));
    expect(held()).toEqual([...LEAD(), ...experts(FEW)].sort());
    expect([residency.leadReady, residency.isComplete]).toEqual([true, true]);
    expect(residency.hosted()).toEqual(FEW);
  });

  it('is read without a compiler where the cache has it', async () => {
    await residencyWith({ model: await KernelModel.open({ model: compiled, threads: 1, threadEntry: null }) }).follow(wanting(FEW));
    const residency = residencyWith({ find: (piece) => findInCache(compiled, piece, new CompiledCache(folder)), compiler: { compile: () => Promise.reject(new Error('nothing is compiled')) } });
    await residency.follow(wanting(FEW));
    expect([residency.isComplete, residency.progress().doneBytes]).toEqual([true, model.weightBytes]);
  });

  it('is asked for room before anything is let go or loaded', async () => {
    await residencyWith().follow(wanting(FEW));
    const before = held();
    const asked: number[] = [];
    const residency = residencyWith({
      admit: (experts) => {
        asked.push(experts);
        throw new AppError('resource_exhausted', 'the card is full');
      },
    });
    await expect(residency.follow(wanting(OTHERS))).rejects.toMatchObject({ message: 'the card is full' });
    expect([asked, held()]).toEqual([[OTHERS.length], before]);
  });

  it('is of experts alone where the worker does not lead', async () => {
    const residency = residencyWith();
    await residency.follow(wanting(FEW, { lead: false, expert: true }));
    expect(held()).toEqual(experts(FEW).sort());
    expect([residency.leadReady, residency.isComplete]).toEqual([false, true]);
  });

  it('lets go of what a later snapshot no longer wants, and keeps the rest loaded', async () => {
    const residency = residencyWith();
    await residency.follow(wanting(FEW));
    const compiledAgain: string[] = [];
    const watching = residencyWith({ compiler: { compile: (key, onBytes) => (compiledAgain.push(pieceName(key)), inline.compile(key, onBytes)) } });
    await watching.follow(wanting(OTHERS));
    expect(held()).toEqual([...LEAD(), ...experts(OTHERS)].sort());
    expect(compiledAgain.sort()).toEqual(experts(OTHERS.slice(1)));
    await watching.follow(wanting([]));
    expect(held()).toEqual(LEAD().sort());
  });

  it('says at no time that it hosts what it has not loaded or what is no longer wanted', async () => {
    const seen: ExpertKey[][] = [];
    const residency: Residency = residencyWith({ onChange: () => {
      seen.push(residency.hosted());
      for (const key of residency.hosted()) expect(model.has({ kind: 'expert', ...key })).toBe(true);
    } });
    await residency.follow(wanting(FEW));
    const following = residency.follow(wanting(OTHERS));
    expect(residency.hosted()).toEqual(OTHERS.slice(0, 1));
    await following;
    expect(seen.at(-1)).toEqual(OTHERS);
  });
});

describe('what is anticipated', () => {
  const all = (): PanelPiece[] => expertPieces(compiled.spec);

  it('is the dense part, and the experts that are sure to come', async () => {
    const residency = residencyWith();
    await residency.anticipate([]);
    expect(held()).toEqual(LEAD().sort());
    const alone = residencyWith();
    await alone.anticipate(all());
    expect(held()).toEqual([...LEAD(), ...all().map(pieceName)].sort());
  });

  it('is brought in once where the placement wants it', async () => {
    const asked: string[] = [];
    const residency = residencyWith({ compiler: { compile: (key, onBytes) => (asked.push(pieceName(key)), inline.compile(key, onBytes)) } });
    const anticipating = residency.anticipate(all());
    await residency.follow(wanting(all().flatMap((piece) => (piece.kind === 'expert' ? [piece] : []))));
    await anticipating;
    expect(asked).toHaveLength(new Set(asked).size);
    expect(residency.isComplete).toBe(true);
  });

  it('is let go of where the placement does not want it', async () => {
    const residency = residencyWith();
    const anticipating = residency.anticipate(all());
    await residency.follow(wanting(FEW));
    await anticipating;
    expect(held()).toEqual([...LEAD(), ...experts(FEW)].sort());
  });

  it('is nothing where a placement came before', async () => {
    const residency = residencyWith();
    await residency.follow(wanting(FEW));
    await residency.anticipate(all());
    expect(residency.hosted()).toEqual(FEW);
  });
});

describe('a change of mind in the middle', () => {
  it.each([1, 4, 9])('after %i pieces ends with what the last snapshot wants, for whoever waits', async (pieces) => {
    let later: Promise<void> | null = null;
    const residency: Residency = residencyWith({ onChange: () => void (model.pieces().length >= pieces && (later ??= residency.follow(wanting(OTHERS)))) });
    await residency.follow(wanting(FEW));
    await later;
    expect(held()).toEqual([...LEAD(), ...experts(OTHERS)].sort());
    expect([residency.isComplete, residency.hosted()]).toEqual([true, OTHERS]);
  });

  it('while the last piece is compiled takes that piece out again', async () => {
    let residency: Residency | null = null;
    const turning: ResidencyOptions['compiler'] = {
      compile: async (key, onBytes) => {
        const file = await inline.compile(key, onBytes);
        if (pieceName(key) === experts(FEW).at(-1)) void residency!.follow(wanting([]));
        return file;
      },
    };
    residency = residencyWith({ compiler: turning });
    await residency.follow(wanting(FEW));
    expect(held()).toEqual(LEAD().sort());
  });
});

describe('progress', () => {
  it('never goes back or beyond the whole, and ends with it, whether pieces are compiled or found', async () => {
    for (const cache of [mkdtempSync(join(folder, 'cold-')), folder]) {
      const seen: LoadProgress[] = [];
      const compiler = { compile: (key: PanelPiece, onBytes: (bytes: number) => void) => packIntoCache(compiled, key, new CompiledCache(cache), { onBytes }) };
      const own = await KernelModel.open({ model: compiled, threads: 1, threadEntry: null });
      const residency: Residency = residencyWith({ compiler, model: own, onChange: () => seen.push(residency.progress()) });
      await residency.follow(wanting(FEW));
      const done = seen.map(({ doneBytes }) => doneBytes);
      expect(done).toEqual(done.toSorted((a, b) => a - b));
      expect(new Set(seen.map(({ totalBytes }) => totalBytes)).size).toBe(1);
      expect(seen.at(-1)!.doneBytes).toBe(seen.at(-1)!.totalBytes);
      expect(residency.progress()).toEqual({ doneBytes: own.weightBytes, totalBytes: own.weightBytes });
      await own.close();
    }
  });
});

describe('a piece that can\'t be compiled', () => {
  it('fails the wait with its reason, and is tried again by the next snapshot', async () => {
    let broken = true;
    const failing: ResidencyOptions['compiler'] = {
      compile: (key, onBytes) => (broken && key.kind === 'head' ? Promise.reject(new AppError('data_loss', 'model.safetensors ends before byte 100')) : inline.compile(key, onBytes)),
    };
    const residency = residencyWith({ compiler: failing });
    await expect(residency.follow(wanting(FEW))).rejects.toMatchObject({ code: 'data_loss', message: 'model.safetensors ends before byte 100' });
    expect([residency.leadReady, residency.isComplete]).toEqual([false, false]);
    broken = false;
    await residency.follow(wanting(FEW));
    expect(residency.isComplete).toBe(true);
  });
});
