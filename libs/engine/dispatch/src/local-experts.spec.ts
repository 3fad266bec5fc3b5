import { describe, expect, it } from 'vitest';
import { type ExpertBatch, LocalExperts } from './index.ts';
import { ToyRunner, toyExpert } from '../test/toy-experts.ts';

const signal = new AbortController().signal;

/** Three rows: experts 0 and 2, expert 1, experts 0 and 1. */
const BATCH: ExpertBatch = {
  step: 5, layer: 2, attempt: 0, epoch: 3, hiddenSize: 2, reduce: true,
  activations: Float32Array.of(0.1, 0.2, 0.3, 0.4, 0.5, 0.6),
  rowOffsets: Uint32Array.of(0, 2, 3, 5),
  experts: Uint32Array.of(0, 2, 1, 0, 1),
  gates: Float32Array.of(0.25, 0.75, 1, 0.5, 0.5),
};

const expertsOf = (runner: ToyRunner, epoch = 3): LocalExperts => new LocalExperts({ runner, epoch: () => epoch });

const weighted = (expert: number, row: number, gate: number): Float32Array =>
  toyExpert({ layer: 2, expert }, BATCH.activations.slice(2 * row, 2 * row + 2)).map((value) => value * gate);

const sum = (left: Float32Array, right: Float32Array): Float32Array => left.map((value, index) => value + right[index]!);

describe('LocalExperts', () => {
  it('returns one weighted row per pair without reduce', async () => {
    const output = await expertsOf(new ToyRunner()).execute({ ...BATCH, reduce: false }, signal);
    const rows = [weighted(0, 0, 0.25), weighted(2, 0, 0.75), weighted(1, 1, 1), weighted(0, 2, 0.5), weighted(1, 2, 0.5)];
    expect(Array.from(output)).toEqual(rows.flatMap((row) => Array.from(row)));
  });

  it('returns one row per token with reduce: the same pairs, summed in ascending expert order', async () => {
    const output = await expertsOf(new ToyRunner()).execute(BATCH, signal);
    const rows = [sum(weighted(0, 0, 0.25), weighted(2, 0, 0.75)), weighted(1, 1, 1), sum(weighted(0, 2, 0.5), weighted(1, 2, 0.5))];
    expect(Array.from(output)).toEqual(rows.flatMap((row) => Array.from(row)));
  });

  it('runs each expert once, over all its rows', async () => {
    const runner = new ToyRunner();
    await expertsOf(runner).execute(BATCH, signal);
    expect(runner.runs).toEqual([
      { key: { layer: 2, expert: 0 }, values: 4 }, { key: { layer: 2, expert: 1 }, values: 4 }, { key: { layer: 2, expert: 2 }, values: 2 },
    ]);
  });

  it('keeps a NaN in its row', async () => {
    const activations = BATCH.activations.slice();
    activations[0] = NaN;
    const [clean, mixed] = [await expertsOf(new ToyRunner()).execute(BATCH, signal), await expertsOf(new ToyRunner()).execute({ ...BATCH, activations }, signal)];
    expect(mixed[0]).toBeNaN();
    expect(mixed.subarray(1)).toEqual(clean.subarray(1));
  });

  it('refuses an epoch lower than the one it has applied, and serves a higher one', async () => {
    await expect(expertsOf(new ToyRunner(), 4).execute(BATCH, signal)).rejects.toMatchObject({ code: 'failed_precondition', message: expect.stringContaining('epoch 4') });
    await expect(expertsOf(new ToyRunner(), 2).execute(BATCH, signal)).resolves.toHaveLength(6);
  });

  it('refuses an expert that it does not hold, before it runs any', async () => {
    const runner = new ToyRunner(({ expert }) => expert !== 2);
    await expect(expertsOf(runner).execute(BATCH, signal)).rejects.toMatchObject({ code: 'failed_precondition', message: expect.stringContaining('layer 2, expert 2') });
    expect(runner.runs).toEqual([]);
  });

  it('starts nothing for a caller that is gone', async () => {
    const runner = new ToyRunner();
    await expect(expertsOf(runner).execute(BATCH, AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
    expect(runner.runs).toEqual([]);
  });

  it('answers a batch without rows', async () => {
    const empty = { ...BATCH, activations: new Float32Array(0), rowOffsets: Uint32Array.of(0), experts: new Uint32Array(0), gates: new Float32Array(0) };
    await expect(expertsOf(new ToyRunner()).execute(empty, signal)).resolves.toHaveLength(0);
  });
});
