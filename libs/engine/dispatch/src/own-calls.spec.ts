import { describe, expect, it } from 'vitest';
import { type ExpertBatch, LocalExperts } from './index.ts';
import { batchOf } from '../test/toy-batch.ts';
import { ToyRunner } from '../test/toy-experts.ts';

const signal = new AbortController().signal;

/** A lead that has just been through layer 0 together with another one, a worker that tells what it runs, and whoever sleeps. */
async function inStep(): Promise<{ readonly experts: LocalExperts; readonly runsOf: (layer: number) => number[]; readonly patienceMs: () => number; readonly wake: () => void }> {
  let nowMs = 0;
  const sleepers: { readonly durationMs: number; readonly wake: () => void }[] = [];
  const clock = { nowMs: () => nowMs, sleep: (durationMs: number) => new Promise<void>((wake) => void sleepers.push({ durationMs, wake })) };
  const runner = new ToyRunner();
  const experts = new LocalExperts({ runner, epoch: () => 0, clock });
  await Promise.all([experts.own.execute(at(0), signal), experts.execute(at(0), signal)]);
  nowMs = 7;
  return {
    experts,
    runsOf: (layer) => runner.runs.filter(({ key }) => key.layer === layer).map(({ values }) => values / 2),
    patienceMs: () => sleepers[0]!.durationMs,
    wake: () => sleepers[0]!.wake(),
  };
}

/** One row for expert 0. */
const at = (layer: number, rows = 1): ExpertBatch => batchOf(Array.from({ length: rows }, () => [0]), { layer });

describe('calls of the own lead', () => {
  it('wait for that of a lead in step with it, so that both run as one', async () => {
    const { experts, runsOf } = await inStep();
    const own = experts.own.execute(at(1), signal);
    await experts.execute(at(5), signal);
    expect([runsOf(5), runsOf(1)]).toEqual([[1], []]);
    await Promise.all([own, experts.execute(at(1), signal)]);
    expect(runsOf(1)).toEqual([2]);
  });

  it('wait no longer than it took from one layer to the next', async () => {
    const { experts, runsOf, patienceMs, wake } = await inStep();
    const own = experts.own.execute(at(1), signal);
    expect(patienceMs()).toBe(7);
    wake();
    await own;
    expect(runsOf(1)).toEqual([1]);
  });

  it('don\'t begin to wait when they are there', async () => {
    const { experts, runsOf } = await inStep();
    await experts.own.execute(at(1, 65), signal);
    const running = experts.execute(at(9), signal);
    const own = experts.own.execute(at(2), signal);
    await Promise.all([running, experts.execute(at(1), signal), own]);
    expect(runsOf(2)).toEqual([1]);
  });

  it('run at once where they have many rows', async () => {
    const { experts, runsOf } = await inStep();
    await experts.own.execute(at(1, 65), signal);
    expect(runsOf(1)).toEqual([65]);
  });

  it('run at once where no other lead calls', async () => {
    const runner = new ToyRunner();
    const experts = new LocalExperts({ runner, epoch: () => 0, clock: { nowMs: () => 0, sleep: () => Promise.reject(new Error('nobody sleeps')) } });
    for (const layer of [0, 1, 2]) await experts.own.execute(at(layer), signal);
    expect(runner.runs).toHaveLength(3);
  });
});
