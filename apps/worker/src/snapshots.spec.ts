import { describe, expect, it } from 'vitest';
import { ManualClock } from '@essaim/testing';
import { NEVER, snapshot } from '../test/samples.ts';
import { Snapshots } from './snapshots.ts';

const start = () => {
  const clock = new ManualClock();
  return { clock, snapshots: new Snapshots(clock) };
};

describe('a snapshot', () => {
  it('is in force from when it was accepted, whole', () => {
    const { snapshots } = start();
    expect(snapshots.epoch).toBe(0);
    expect(() => snapshots.current).toThrow('the first snapshot has come');
    const first = snapshot(3);
    expect(snapshots.accept(first)).toBe(true);
    expect([snapshots.epoch, snapshots.current]).toEqual([3, first]);
  });

  it.each([4, 5])('of epoch %i is refused after one of epoch 5', (epoch) => {
    const { snapshots } = start();
    const held = snapshot(5);
    snapshots.accept(held);
    expect(snapshots.accept(snapshot(epoch, { clusterId: 'late' }))).toBe(false);
    expect(snapshots.current).toBe(held);
  });
});

describe('waiting for a newer snapshot', () => {
  it('ends at once where there is one already', async () => {
    const { clock, snapshots } = start();
    const held = snapshot(5);
    snapshots.accept(held);
    expect(await snapshots.newerThan(4, NEVER)).toBe(held);
    expect(clock.sleeping).toBe(0);
  });

  it('ends with the first that is newer, for all who wait, and leaves no timer behind', async () => {
    const { clock, snapshots } = start();
    snapshots.accept(snapshot(5));
    const [few, many] = [snapshots.newerThan(5, NEVER), snapshots.newerThan(7, NEVER)];
    const next = snapshot(6);
    snapshots.accept(next);
    expect(await few).toBe(next);
    const last = snapshot(8);
    snapshots.accept(last);
    expect(await many).toBe(last);
    expect(clock.sleeping).toBe(0);
  });

  it('ends with nothing after a second', async () => {
    const { clock, snapshots } = start();
    snapshots.accept(snapshot(5));
    const waiting = snapshots.newerThan(5, NEVER);
    clock.pass(999);
    expect(clock.sleeping).toBe(1);
    clock.pass(1);
    expect(await waiting).toBeNull();
  });

  it('is not prolonged by snapshots that are refused or not new enough', async () => {
    const { clock, snapshots } = start();
    snapshots.accept(snapshot(5));
    const waiting = snapshots.newerThan(9, NEVER);
    clock.pass(600);
    snapshots.accept(snapshot(4));
    snapshots.accept(snapshot(6));
    clock.pass(400);
    expect(await waiting).toBeNull();
  });

  it.each(['before', 'during'])('ends with nothing for a signal that aborts %s it', async (when) => {
    const { clock, snapshots } = start();
    const stop = new AbortController();
    if (when === 'before') stop.abort();
    const waiting = snapshots.newerThan(0, stop.signal);
    stop.abort();
    expect(await waiting).toBeNull();
    expect(clock.sleeping).toBe(0);
  });
});
