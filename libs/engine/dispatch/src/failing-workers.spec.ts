import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError, LIMITS, type ErrorCode } from '@essaim/core';
import { anyPlacement, anyWork } from '../test/arbitraries.ts';
import { ToyCluster, ready, snapshotOf, worker } from '../test/toy-cluster.ts';
import { referenceOutput, workFor } from '../test/toy-work.ts';

const signal = new AbortController().signal;
const lead = worker(0);

const farthest = (left: Float32Array, right: Float32Array): number => left.reduce((most, value, index) => Math.max(most, Math.abs(value - right[index]!)), 0);

describe('a worker that fails', () => {
  const failure = (code: ErrorCode) => (): AppError => new AppError(code, `a ${code} sentence`);

  it.each<ErrorCode>(['unavailable', 'deadline_exceeded', 'failed_precondition', 'resource_exhausted'])('with %s changes no bit while another replica is there', async (code) => {
    const cluster = new ToyCluster([[ready(1, 2), ready(2, 1), ready(0), ready(1, 2)]]);
    cluster.mishaps.set(worker(1), failure(code));
    const work = workFor([[0, 2], [1, 3], [0, 3]]);
    const { output, failures } = await cluster.dispatcher(lead).dispatch(work, signal);
    expect(failures.size).toBe(0);
    expect(output).toEqual(referenceOutput(work));
  });

  it('has only its own pairs sent again, as the next attempt', async () => {
    const cluster = new ToyCluster([[ready(1, 3), ready(2)]]);
    const preferred = cluster.dispatcher(lead);
    await preferred.dispatch(workFor([[0, 1]]), signal);
    const first = cluster.calls.find(({ batch }) => batch.experts[0] === 0)!.worker;
    cluster.calls.length = 0;
    cluster.mishaps.set(first, failure('unavailable'));

    const result = await cluster.dispatcher(lead).dispatch(workFor([[0, 1], [0, 1]]), signal);
    const second = first === worker(1) ? worker(3) : worker(1);
    expect(cluster.calls.map(({ worker, batch }) => [worker, batch.attempt, Array.from(batch.experts)])).toEqual(
      expect.arrayContaining([[first, 0, [0, 0]], [worker(2), 0, [1, 1]], [second, 1, [0, 0]]]),
    );
    expect(cluster.calls).toHaveLength(3);
    expect(Array.from(result.retriedExpertCalls)).toEqual([1, 1]);
    expect(result.workers[0]).toEqual(new Set([second, worker(2)]));
  });

  it('fails the rows that need it and no others when no replica is left', async () => {
    const cluster = new ToyCluster([[ready(0), ready(1), ready(2)]]);
    cluster.mishaps.set(worker(1), failure('unavailable'));
    const work = workFor([[0, 1], [0, 2], [1, 2], [0, 2]]);
    const { output, failures } = await cluster.dispatcher(lead).dispatch(work, signal);
    expect([...failures.keys()].sort()).toEqual([0, 2]);
    expect(failures.get(0)).toMatchObject({ code: 'unavailable', message: 'layer 0, expert 1 has no reachable replica: a unavailable sentence' });
    const expected = referenceOutput(work);
    for (const row of [1, 3]) expect(output.subarray(4 * row, 4 * row + 4)).toEqual(expected.subarray(4 * row, 4 * row + 4));
  });

  it('is called a bounded number of times however many newer snapshots promise it', async () => {
    const placement = [[ready(1)]];
    const cluster = new ToyCluster(placement);
    cluster.upcoming = Array.from({ length: 20 }, (_, nth) => snapshotOf(placement, 2 + nth));
    cluster.mishaps.set(worker(1), failure('failed_precondition'));
    const { failures } = await cluster.dispatcher(lead).dispatch(workFor([[0]]), signal);
    expect(failures.get(0)!.code).toBe('unavailable');
    expect(cluster.calls.map(({ batch }) => batch.attempt)).toEqual(Array.from({ length: LIMITS.expertCallAttempts }, (_, attempt) => attempt));
  });

  it('is tried again when it is the only one, so that one that stumbled is no failure', async () => {
    const cluster = new ToyCluster([[ready(1)]]);
    let stumbles = 1;
    cluster.mishaps.set(worker(1), () => (stumbles-- > 0 ? failure('unavailable')() : undefined));
    const { failures, output } = await cluster.dispatcher(lead).dispatch(workFor([[0]]), signal);
    expect(failures.size).toBe(0);
    expect(output).toEqual(referenceOutput(workFor([[0]])));
  });

  it('is found elsewhere when a newer placement moves its experts', async () => {
    const cluster = new ToyCluster([[ready(1)]]);
    cluster.upcoming = [snapshotOf([[[{ worker: worker(2), state: 'loading' }]]], 2), snapshotOf([[ready(2)]], 3)];
    cluster.mishaps.set(worker(1), failure('unavailable'));
    const { failures, output } = await cluster.dispatcher(lead).dispatch(workFor([[0]]), signal);
    expect(failures.size).toBe(0);
    expect(output).toEqual(referenceOutput(workFor([[0]])));
    expect(cluster.calls.at(-1)).toMatchObject({ worker: worker(2), batch: { epoch: 3 } });
  });

  it('fails its rows at once with its own words when another replica could not help', async () => {
    const cluster = new ToyCluster([[ready(1, 2)]]);
    cluster.mishaps.set(worker(1), failure('internal')).set(worker(2), failure('internal'));
    const { failures } = await cluster.dispatcher(lead).dispatch(workFor([[0]]), signal);
    expect(failures.get(0)).toMatchObject({ code: 'internal', message: 'a internal sentence' });
    expect(cluster.calls).toHaveLength(1);
  });

  it('fails a row for the first reason there is', async () => {
    const cluster = new ToyCluster([[ready(1), ready(2)]]);
    cluster.mishaps.set(worker(1), failure('unavailable')).set(worker(2), failure('data_loss'));
    const { failures } = await cluster.dispatcher(lead).dispatch(workFor([[0, 1]]), signal);
    expect(failures.get(0)!.code).toBe('data_loss');
  });

  it('fails its rows when it answers with too little', async () => {
    const cluster = new ToyCluster([[ready(1)]]);
    const peer = (): { execute: () => Promise<Float32Array> } => ({ execute: () => Promise.resolve(new Float32Array(1)) });
    const { failures } = await cluster.dispatcher(lead, { peer }).dispatch(workFor([[0]]), signal);
    expect(failures.get(0)!.code).toBe('internal');
  });

  it('is one without connection, too: another replica is used', async () => {
    const cluster = new ToyCluster([[ready(1, 2)]]);
    for (const gone of [worker(1), worker(2)]) {
      const dispatcher = cluster.dispatcher(lead, { peer: (id) => (id === gone ? null : cluster.peer(id)) });
      expect((await dispatcher.dispatch(workFor([[0]]), signal)).output).toEqual(referenceOutput(workFor([[0]])));
    }
  });

  it('that is only busy is relieved by another replica at once, and not avoided from then on', async () => {
    const cluster = new ToyCluster([[ready(1, 2)]]);
    const dispatcher = cluster.dispatcher(lead);
    await dispatcher.dispatch(workFor([[0]]), signal);
    const preferred = cluster.calls[0]!.worker;
    cluster.mishaps.set(preferred, failure('resource_exhausted'));
    for (let step = 0; step < 2; step++) {
      cluster.calls.length = 0;
      expect((await dispatcher.dispatch(workFor([[0]]), signal)).failures.size).toBe(0);
      expect(cluster.calls.map((call) => call.worker === preferred)).toEqual([true, false]);
    }
    expect([cluster.pauses, cluster.waits]).toEqual([[], []]);
  });

  it('that is only busy is called again in a moment where there is no other', async () => {
    const cluster = new ToyCluster([[ready(1)]]);
    let refusals = 2;
    cluster.mishaps.set(worker(1), () => (refusals-- > 0 ? failure('resource_exhausted')() : undefined));
    const { failures, output } = await cluster.dispatcher(lead).dispatch(workFor([[0]]), signal);
    expect(failures.size).toBe(0);
    expect(output).toEqual(referenceOutput(workFor([[0]])));
    expect(cluster.calls.map(({ batch }) => batch.attempt)).toEqual([0, 1, 2]);
    expect([cluster.pauses, cluster.waits]).toEqual([[50, 100], []]);
  });

  it('that stays busy fails its rows after a bounded number of calls, longer and longer apart', async () => {
    const cluster = new ToyCluster([[ready(1)]]);
    cluster.mishaps.set(worker(1), failure('resource_exhausted'));
    const { failures } = await cluster.dispatcher(lead).dispatch(workFor([[0]]), signal);
    expect(failures.get(0)).toMatchObject({ code: 'unavailable', message: expect.stringContaining('a resource_exhausted sentence') });
    expect(cluster.calls).toHaveLength(LIMITS.expertCallAttempts);
    expect(cluster.pauses).toEqual([50, 100, 200]);
  });

  it('is avoided from then on, and called again under a newer snapshot', async () => {
    const placement = [[ready(1, 2)]];
    const cluster = new ToyCluster(placement);
    const dispatcher = cluster.dispatcher(lead);
    await dispatcher.dispatch(workFor([[0]]), signal);
    const preferred = cluster.calls[0]!.worker;
    cluster.mishaps.set(preferred, failure('unavailable'));
    const calledIn = async (): Promise<boolean> => {
      cluster.calls.length = 0;
      await dispatcher.dispatch(workFor([[0]]), signal);
      return cluster.calls.some((call) => call.worker === preferred);
    };
    expect(await calledIn()).toBe(true);
    expect(await calledIn()).toBe(false);
    cluster.publish(snapshotOf(placement, 2));
    expect(await calledIn()).toBe(true);
  });
});

describe('any mishaps', () => {
  const codes = fc.constantFrom<ErrorCode | null>(null, null, 'unavailable', 'deadline_exceeded', 'failed_precondition', 'resource_exhausted', 'internal');

  it('leave every row either right or failed, in bounded calls, and right to the bit in deterministic mode', async () => {
    await fc.assert(fc.asyncProperty(anyWork, anyPlacement, fc.array(codes, { minLength: 1, maxLength: 30 }), fc.boolean(), async (work, placement, script, deterministic) => {
      const cluster = new ToyCluster(placement);
      let call = 0;
      for (const nth of [0, 1, 2, 3, 4]) {
        cluster.mishaps.set(worker(nth), () => {
          const code = script[call++ % script.length]!;
          return code === null ? undefined : new AppError(code, 'a mishap');
        });
      }
      const { output, failures } = await cluster.dispatcher(lead, { deterministic }).dispatch(work, signal);
      const expected = referenceOutput(work);
      for (let row = 0; row * work.hiddenSize < output.length; row++) {
        const ofRow = (values: Float32Array): Float32Array => values.subarray(row * work.hiddenSize, (row + 1) * work.hiddenSize);
        if (!failures.has(row)) expect(farthest(ofRow(output), ofRow(expected))).toBeLessThanOrEqual(deterministic ? 0 : 1e-5);
      }
      expect(cluster.calls.every(({ batch }) => batch.attempt < LIMITS.expertCallAttempts)).toBe(true);
      if (!script.some((code) => code !== null)) expect(failures.size).toBe(0);
    }), { numRuns: 300 });
  });
});
