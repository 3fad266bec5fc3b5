import { describe, expect, it } from 'vitest';
import { AppError, type Clock, type ClusterSnapshot } from '@essaim/core';
import { createLogger } from '@essaim/telemetry';
import { ClusterView } from './cluster-view.ts';

const snapshot = (epoch: number, clusterId = 'c'): ClusterSnapshot => ({
  clusterId, epoch, model: { id: 'm', directory: '/', dtype: 'int8', deterministic: false }, workers: [], placement: [],
});
const log = createLogger({ component: 'gateway', level: 'silent' });

describe('ClusterView', () => {
  it('tells readers of an old look that there is a newer one', () => {
    const view = new ClusterView();
    const before = view.known;
    view.take(snapshot(1));
    expect(before.snapshot).toBeNull();
    expect(before.replaced.aborted).toBe(true);
    expect(view.known.snapshot).toEqual(snapshot(1));
    expect(view.known.replaced.aborted).toBe(false);
  });

  it('refuses a lower epoch of the same cluster, not of another one', () => {
    const view = new ClusterView();
    view.take(snapshot(5));
    view.take(snapshot(4));
    expect(view.known.snapshot?.epoch).toBe(5);
    view.take(snapshot(1, 'another'));
    expect(view.known.snapshot).toEqual(snapshot(1, 'another'));
  });

  it('connects again after each loss, ever more patiently until something comes, and ends with the signal', async () => {
    const stop = new AbortController();
    const slept: number[] = [];
    const clock: Clock = { nowMs: () => 0, sleep: async (durationMs) => void (slept.push(durationMs) === 8 && stop.abort()) };
    const view = new ClusterView();
    let calls = 0;
    await view.follow({
      async *watch() {
        if (++calls === 7) yield snapshot(1);
        throw new AppError('unavailable', 'nobody there');
      },
    }, { clock, log }, stop.signal);
    expect(slept).toEqual([100, 200, 400, 800, 1_600, 2_000, 100, 200]);
    expect(view.known.snapshot).toEqual(snapshot(1));
  });
});
