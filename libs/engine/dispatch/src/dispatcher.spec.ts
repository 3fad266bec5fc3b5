import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '@essaim/core';
import { anyPlacement, anyWork } from '../test/arbitraries.ts';
import { ToyCluster, ready, roundRobin, snapshotOf, worker } from '../test/toy-cluster.ts';
import { referenceOutput, toyWork, workFor } from '../test/toy-work.ts';

const signal = new AbortController().signal;
const lead = worker(0);

const farthest = (left: Float32Array, right: Float32Array): number => left.reduce((most, value, index) => Math.max(most, Math.abs(value - right[index]!)), 0);

describe('a healthy cluster', () => {
  it('computes the layer bit for bit, wherever the experts are, in deterministic mode', async () => {
    await fc.assert(fc.asyncProperty(anyWork, anyPlacement, async (work, placement) => {
      const { output, failures } = await new ToyCluster(placement).dispatcher(lead).dispatch(work, signal);
      expect(failures.size).toBe(0);
      expect(output).toEqual(referenceOutput(work));
    }));
  });

  it('computes the layer within 1e-5 in fast mode', async () => {
    await fc.assert(fc.asyncProperty(anyWork, anyPlacement, async (work, placement) => {
      const { output } = await new ToyCluster(placement).dispatcher(lead, { deterministic: false }).dispatch(work, signal);
      expect(farthest(output, referenceOutput(work))).toBeLessThan(1e-5);
    }));
  });

  it.each([1, 2, 3, 5].flatMap((workers) => [1, 2].filter((replicas) => replicas <= workers).map((replicas) => [workers, replicas] as const)))(
    'calls each of %i workers at most once, with %i replicas, and sends them each activation once', async (workers, replicas) => {
      const cluster = new ToyCluster(roundRobin(8, workers, replicas));
      const work = toyWork({ rows: 16, hiddenSize: 8, expertCount: 8, expertsPerToken: 3, seed: workers });
      const { output } = await cluster.dispatcher(lead).dispatch(work, signal);
      expect(output).toEqual(referenceOutput(work));
      expect(new Set(cluster.calls.map((call) => call.worker)).size).toBe(cluster.calls.length);
      for (const { batch } of cluster.calls) {
        expect(batch.activations.length).toBe((batch.rowOffsets.length - 1) * 8);
        expect(batch.rowOffsets.length - 1).toBeLessThanOrEqual(16);
      }
      expect(cluster.calls.reduce((pairs, { batch }) => pairs + batch.experts.length, 0)).toBe(48);
    },
  );

  it('asks for reduced rows in fast mode and for one per pair in deterministic mode, of itself too', async () => {
    for (const deterministic of [true, false]) {
      const cluster = new ToyCluster([[ready(0), ready(1)]]);
      await cluster.dispatcher(lead, { deterministic }).dispatch(workFor([[0, 1]]), signal);
      expect(cluster.calls.map(({ batch }) => batch.reduce)).toEqual([!deterministic, !deterministic]);
    }
  });

  it('sums partial rows in the order of worker ids, whoever answers first', async () => {
    const work = toyWork({ rows: 6, hiddenSize: 8, expertCount: 8, expertsPerToken: 6, seed: 3 });
    const outputs = await Promise.all([[0, 1, 2], [2, 1, 0], [1, 2, 0]].map(async (order) => {
      const cluster = new ToyCluster(roundRobin(8, 3, 1));
      const turns = order.map(() => Promise.withResolvers<void>());
      turns[0]!.resolve();
      for (const nth of [0, 1, 2]) {
        const turn = order.indexOf(nth);
        cluster.mishaps.set(worker(nth), async () => {
          await turns[turn]!.promise;
          // The next one may go when this answer is through all its promises.
          setImmediate(() => turns[turn + 1]?.resolve());
          return undefined;
        });
      }
      return (await cluster.dispatcher(worker(1), { deterministic: false }).dispatch(work, signal)).output;
    }));
    expect(outputs[1]).toEqual(outputs[0]);
    expect(outputs[2]).toEqual(outputs[0]);
  });

  it('sends the activations themselves, uncopied, to a worker that gets every row', async () => {
    const cluster = new ToyCluster([[ready(1), ready(2), ready(2)]]);
    const work = workFor([[0, 1], [0, 2]]);
    await cluster.dispatcher(lead).dispatch(work, signal);
    for (const { batch } of cluster.calls) expect(batch.activations).toBe(work.activations);
  });

  it('calls other workers before its own experts occupy the thread', async () => {
    const cluster = new ToyCluster([[ready(0), ready(1), ready(2)]]);
    await cluster.dispatcher(lead).dispatch(workFor([[0, 1, 2]]), signal);
    expect(cluster.calls.at(-1)!.worker).toBe(lead);
  });

  it('counts where the experts of each row ran', async () => {
    const result = await new ToyCluster([[ready(0), ready(1), ready(2)]]).dispatcher(lead).dispatch(workFor([[0, 1], [1, 2]]), signal);
    expect(Array.from(result.localExpertCalls)).toEqual([1, 0]);
    expect(Array.from(result.remoteExpertCalls)).toEqual([1, 2]);
    expect(Array.from(result.retriedExpertCalls)).toEqual([0, 0]);
    expect(result.workers).toEqual([new Set([worker(0), worker(1)]), new Set([worker(1), worker(2)])]);
  });

  it('keeps a NaN in its row', async () => {
    const work = toyWork({ rows: 3, hiddenSize: 4, expertCount: 8, expertsPerToken: 2, seed: 1 });
    work.activations[5] = NaN;
    const { output, failures } = await new ToyCluster(roundRobin(8, 3, 1)).dispatcher(lead).dispatch(work, signal);
    expect(failures.size).toBe(0);
    expect(Array.from(output, Number.isNaN)).toEqual([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0].map(Boolean));
  });

  it('never calls a replica that is still loading', async () => {
    const cluster = new ToyCluster([[[{ worker: worker(1), state: 'loading' }, { worker: worker(2), state: 'ready' }]]]);
    await cluster.dispatcher(lead).dispatch(workFor([[0]]), signal);
    expect(cluster.calls.map((call) => call.worker)).toEqual([worker(2)]);
  });
});

describe('epochs', () => {
  it('takes the newer snapshot when a worker is ahead, and calls it under that', async () => {
    const placement = [[ready(1), ready(2)]];
    const cluster = new ToyCluster(placement);
    cluster.appliedEpochs.set(worker(1), 2);
    cluster.upcoming = [snapshotOf(placement, 2)];
    const work = workFor([[0, 1]]);
    const { output, failures } = await cluster.dispatcher(lead).dispatch(work, signal);
    expect(failures.size).toBe(0);
    expect(output).toEqual(referenceOutput(work));
    expect(cluster.waits).toEqual([1]);
    expect(cluster.calls.map(({ worker, batch }) => [worker, batch.attempt, batch.epoch])).toEqual([[worker(1), 0, 1], [worker(2), 0, 1], [worker(1), 1, 2]]);
  });

  it('does not wait when a newer snapshot came while the call was under way', async () => {
    const placement = [[ready(1)]];
    const cluster = new ToyCluster(placement);
    cluster.appliedEpochs.set(worker(1), 2);
    cluster.mishaps.set(worker(1), () => void cluster.publish(snapshotOf(placement, 2)));
    expect((await cluster.dispatcher(lead).dispatch(workFor([[0]]), signal)).failures.size).toBe(0);
    expect(cluster.waits).toEqual([]);
  });

  it('names the epoch whose placement has no ready replica', async () => {
    const { failures } = await new ToyCluster([[[]]]).dispatcher(lead).dispatch(workFor([[0]]), signal);
    expect(failures.get(0)).toMatchObject({ code: 'unavailable', message: expect.stringContaining('layer 0, expert 0 has no reachable replica: the placement of epoch 1') });
  });
});

describe('cancellation', () => {
  it('rejects while calls are under way, and sends none of their pairs again', async () => {
    const cluster = new ToyCluster([[ready(1, 2), ready(0)]]);
    const abort = new AbortController();
    for (const nth of [1, 2]) {
      cluster.mishaps.set(worker(nth), async (_batch, callSignal) => {
        await new Promise((resolve) => callSignal.addEventListener('abort', resolve, { once: true }));
        return new AppError('unavailable', 'the connection is closed');
      });
    }
    const pending = cluster.dispatcher(lead).dispatch(workFor([[0, 1]]), abort.signal);
    abort.abort();
    await expect(pending).rejects.toMatchObject({ code: 'cancelled' });
    expect(cluster.calls).toHaveLength(2);
  });

  it('rejects with the reason that the caller gave', async () => {
    const reason = new AppError('deadline_exceeded', 'the step took too long');
    await expect(new ToyCluster([[ready(0)]]).dispatcher(lead).dispatch(workFor([[0]]), AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  it('ends the pause before a busy worker is called again', async () => {
    const abort = new AbortController();
    const cluster = new ToyCluster([[ready(1)]]);
    cluster.mishaps.set(worker(1), () => new AppError('resource_exhausted', 'busy'));
    const sleep = (_durationMs: number, waiting?: AbortSignal): Promise<void> => new Promise((_resolve, reject) => {
      waiting!.addEventListener('abort', () => reject(waiting!.reason as Error), { once: true });
      abort.abort();
    });
    await expect(cluster.dispatcher(lead, { clock: { sleep } }).dispatch(workFor([[0]]), abort.signal)).rejects.toMatchObject({ code: 'cancelled' });
    expect(cluster.calls).toHaveLength(1);
  });

  it('ends a wait for a newer snapshot', async () => {
    const abort = new AbortController();
    const newerThan = (_epoch: number, waiting: AbortSignal): Promise<null> => new Promise((_resolve, reject) => {
      waiting.addEventListener('abort', () => reject(waiting.reason as Error), { once: true });
      abort.abort();
    });
    await expect(new ToyCluster([[[]]]).dispatcher(lead, { newerThan }).dispatch(workFor([[0]]), abort.signal)).rejects.toMatchObject({ code: 'cancelled' });
  });
});
