import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Durations, EXPERT_PHASES, LIMITS } from '@essaim/core';
import { type ExpertBatch, type ExpertGroup, type ExpertRunner, LocalExperts } from './index.ts';
import { batchOf } from '../test/toy-batch.ts';
import { ToyRunner, toyExpert } from '../test/toy-experts.ts';

const signal = new AbortController().signal;
const STILL = { nowMs: () => 0, sleep: () => new Promise<void>(() => undefined) };

/** Three rows: experts 0 and 2, expert 1, experts 0 and 1. */
const BATCH: ExpertBatch = {
  step: 5, layer: 2, attempt: 0, epoch: 3, hiddenSize: 2, reduce: true,
  activations: Float32Array.of(0.1, 0.2, 0.3, 0.4, 0.5, 0.6),
  rowOffsets: Uint32Array.of(0, 2, 3, 5),
  experts: Uint32Array.of(0, 2, 1, 0, 1),
  gates: Float32Array.of(0.25, 0.75, 1, 0.5, 0.5),
};

const expertsOf = (runner: ToyRunner, epoch = 3): LocalExperts => new LocalExperts({ runner, epoch: () => epoch, clock: STILL });

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

/** Runs one after the other, each when a test says so. */
class HeldRunner implements ExpertRunner {
  readonly runner = new ToyRunner(({ expert }) => !this.gone.has(expert));
  readonly gone = new Set<number>();
  readonly runs: { readonly layer: number; readonly groups: readonly ExpertGroup[]; readonly finish: (error?: Error) => void }[] = [];

  holds(key: Parameters<ExpertRunner['holds']>[0]): boolean {
    return this.runner.holds(key);
  }

  run(layer: number, groups: readonly ExpertGroup[]): Promise<Float32Array[]> {
    return new Promise((resolve, reject) => {
      this.runs.push({ layer, groups, finish: (error) => (error === undefined ? resolve(this.runner.run(layer, groups)) : reject(error)) });
    });
  }

  /** The run that is next, once it has begun. */
  async begun(): Promise<HeldRunner['runs'][number]> {
    await expect.poll(() => this.runs.length).toBeGreaterThan(0);
    return this.runs.shift()!;
  }
}

describe('calls of several leads', () => {
  const alone = (batch: ExpertBatch): Promise<Float32Array> => new LocalExperts({ runner: new ToyRunner(), epoch: () => 0, clock: STILL }).execute(batch, signal);
  let nowMs = 0;
  const start = (): { runner: HeldRunner; experts: LocalExperts } => {
    nowMs = 0;
    const runner = new HeldRunner();
    return { runner, experts: new LocalExperts({ runner, epoch: () => 0, clock: { ...STILL, nowMs: () => nowMs } }) };
  };

  it('that come while others run are then run together where they are for one layer, each expert once', async () => {
    const { runner, experts } = start();
    const batches = [batchOf([[5]]), batchOf([[0, 1], [1]], { seed: 1 }), batchOf([[1, 2]], { seed: 2 }), batchOf([[1]], { layer: 7 }), batchOf([[0]], { seed: 3 })];
    const replies = [experts.execute(batches[0]!, signal)];
    const first = await runner.begun();
    replies.push(...batches.slice(1).map((batch) => experts.execute(batch, signal)));
    first.finish();
    const second = await runner.begun();
    expect(second.groups.map(({ expert, activations }) => [expert, activations.length / 2])).toEqual([[0, 2], [1, 3], [2, 1]]);
    second.finish();
    const third = await runner.begun();
    expect([third.layer, third.groups.length]).toEqual([7, 1]);
    third.finish();
    expect(await Promise.all(replies)).toEqual(await Promise.all(batches.map(alone)));
  });

  it('tell how long each waited, and once how long they ran', async () => {
    let now = 0;
    const [runner, clock] = [new HeldRunner(), { ...STILL, nowMs: () => now }];
    const times = new Durations(EXPERT_PHASES, clock);
    const experts = new LocalExperts({ runner, epoch: () => 0, clock, times });
    const replies = [experts.execute(batchOf([[0]]), signal)];
    const first = await runner.begun();
    now = 2;
    replies.push(experts.execute(batchOf([[1]]), signal), experts.execute(batchOf([[1]], { seed: 1 }), signal));
    now = 5;
    first.finish();
    const second = await runner.begun();
    now = 9;
    second.finish();
    await Promise.all(replies);
    expect(times.read()).toEqual({ queue: 2 * 3_000, compute: 9_000, serialise: 0 });
  });

  it('that are made in one turn run together although nothing ran before', async () => {
    const runner = new ToyRunner();
    const experts = new LocalExperts({ runner, epoch: () => 0, clock: STILL });
    await Promise.all([1, 2, 3].map((seed) => experts.execute(batchOf([[0]], { seed }), signal)));
    expect(runner.runs).toHaveLength(1);
  });

  it('get the same bits as alone, whoever they run with', async () => {
    const anyBatch = fc.record({
      rows: fc.array(fc.uniqueArray(fc.integer({ min: 0, max: 5 }), { maxLength: 4 }).map((experts) => experts.sort((a, b) => a - b)), { maxLength: 6 }),
      layer: fc.integer({ min: 0, max: 1 }), reduce: fc.boolean(), seed: fc.integer({ min: 0, max: 99 }),
    }).map(({ rows, ...options }) => batchOf(rows, options));
    await fc.assert(fc.asyncProperty(fc.array(anyBatch, { maxLength: 6 }), async (batches) => {
      const experts = new LocalExperts({ runner: new ToyRunner(), epoch: () => 0, clock: STILL });
      expect(await Promise.all(batches.map((batch) => experts.execute(batch, signal)))).toEqual(await Promise.all(batches.map(alone)));
    }));
  });

  it('do not fail with one that needs an expert which left while they waited', async () => {
    const { runner, experts } = start();
    const running = experts.execute(batchOf([[0]]), signal);
    const first = await runner.begun();
    const [foreign, other] = [experts.execute(batchOf([[1]]), signal), experts.execute(batchOf([[2]]), signal)];
    runner.gone.add(1);
    first.finish();
    await expect(foreign).rejects.toMatchObject({ code: 'failed_precondition' });
    (await runner.begun()).finish();
    expect([await running, await other]).toEqual([await alone(batchOf([[0]])), await alone(batchOf([[2]]))]);
  });

  it('are not run when their caller leaves, or their deadline passes, while they wait', async () => {
    const { runner, experts } = start();
    const running = experts.execute(batchOf([[0]]), signal);
    const first = await runner.begun();
    const leaving = new AbortController();
    const left = experts.execute(batchOf([[1]]), leaving.signal);
    const late = experts.execute(batchOf([[2]]), signal);
    leaving.abort();
    nowMs = LIMITS.expertCallMs;
    first.finish();
    await expect(left).rejects.toMatchObject({ code: 'cancelled' });
    await expect(late).rejects.toMatchObject({ code: 'deadline_exceeded' });
    await running;
    expect(runner.runs).toEqual([]);
  });

  it('get nothing when they left while they ran, and the others get theirs', async () => {
    const { runner, experts } = start();
    const leaving = new AbortController();
    const [left, stayed] = [experts.execute(batchOf([[1]]), leaving.signal), experts.execute(batchOf([[2]]), signal)];
    const run = await runner.begun();
    leaving.abort();
    run.finish();
    await expect(left).rejects.toMatchObject({ code: 'cancelled' });
    expect(await stayed).toEqual(await alone(batchOf([[2]])));
  });

  it('fail with the run that they are in, and the next ones are run', async () => {
    const { runner, experts } = start();
    const failing = experts.execute(batchOf([[1]]), signal);
    const run = await runner.begun();
    const next = experts.execute(batchOf([[2]]), signal);
    run.finish(new Error('a bug'));
    await expect(failing).rejects.toMatchObject({ code: 'internal' });
    (await runner.begun()).finish();
    expect(await next).toEqual(await alone(batchOf([[2]])));
  });

  it('are refused at once when too much waits', async () => {
    const runner = new HeldRunner();
    const experts = new LocalExperts({ runner, epoch: () => 0, clock: STILL, limits: { waitingRows: 1, batchRows: 1 } });
    const running = experts.execute(batchOf([[0]]), signal);
    const first = await runner.begun();
    const waiting = experts.execute(batchOf([[1]]), signal);
    await expect(experts.execute(batchOf([[2]]), signal)).rejects.toMatchObject({ code: 'resource_exhausted' });
    first.finish();
    (await runner.begun()).finish();
    await Promise.all([running, waiting]);
  });
});
