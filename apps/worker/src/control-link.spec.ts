import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError, type ClusterSnapshot } from '@essaim/core';
import { connectControlPlane, type Connection, type ControlPlaneApi } from '@essaim/rpc';
import { createLogger } from '@essaim/telemetry';
import { ManualClock } from '@essaim/testing';
import { DESCRIPTION, REGISTRATION, snapshot } from '../test/samples.ts';
import { LEASE_TTL_MS, TestControlPlane } from '../test/test-control-plane.ts';
import { ControlLink } from './control-link.ts';

const logger = createLogger({ component: 'test', level: 'silent' });
const RETRY_MS = 250;

let control: TestControlPlane;
let connection: ControlPlaneApi & Connection;
let clock: ManualClock;
let stop: AbortController;
let link: ControlLink;
let running: Promise<void> | null;
let snapshots: ClusterSnapshot[];
let runningSequences: number;

beforeEach(async () => {
  control = await TestControlPlane.start();
  connection = connectControlPlane(control.address, { tls: 'insecure-loopback' });
  clock = new ManualClock();
  stop = new AbortController();
  snapshots = [];
  runningSequences = 0;
  running = null;
  link = new ControlLink({
    control: connection, registration: REGISTRATION, describe: () => ({ ...DESCRIPTION, runningSequences }), onSnapshot: (each) => snapshots.push(each), clock, logger,
  });
});
afterEach(async () => {
  stop.abort();
  await running;
  connection.close();
  await control.stop();
});

const start = (): void => void (running = link.run(stop.signal));
const reported = (count: number): Promise<void> => expect.poll(() => control.reports.length).toBe(count);
/** The link has reported and waits for the next third of its lease. */
const settled = (): Promise<void> => expect.poll(() => clock.sleeping).toBe(1);

/** Another one at the same address, which knows nothing of the first. */
async function restart(): Promise<void> {
  await control.stop();
  await expect.poll(() => clock.sleeping).toBe(2);
  control = await TestControlPlane.start({ port: control.port });
}

/** Until it holds; the link's pauses pass meanwhile. */
const retryingUntil = (holds: () => boolean): Promise<void> =>
  expect.poll(() => {
    clock.pass(RETRY_MS);
    return holds();
  }, { timeout: 30_000 }).toBe(true);

describe('a worker\'s link', () => {
  it('joins and reports at once, then at each third of the lease and not before', async () => {
    start();
    await reported(1);
    await settled();
    expect(control.joins).toEqual([REGISTRATION]);
    expect(control.reports).toEqual([{ ...DESCRIPTION, leaseId: `lease-1-of-${control.address}` }]);
    for (const count of [2, 3, 4]) {
      clock.pass(LEASE_TTL_MS / 3 - 1);
      expect([clock.sleeping, control.reports.length]).toEqual([1, count - 1]);
      clock.pass(1);
      await reported(count);
      await settled();
    }
    expect(control.joins).toHaveLength(1);
  });

  it('reports what is news at once, without waiting for the third', async () => {
    start();
    await settled();
    runningSequences = 7;
    link.nudge();
    await reported(2);
    expect(control.reports.at(-1)).toMatchObject({ runningSequences: 7 });
  });

  it('reports progress soon, once for all that there was meanwhile, and news at once also then', async () => {
    start();
    await settled();
    for (runningSequences = 1; runningSequences < 7; runningSequences++) link.progressed();
    await expect.poll(() => clock.sleeping).toBe(2);
    clock.pass(49);
    expect([clock.sleeping, control.reports.length]).toEqual([2, 1]);
    clock.pass(1);
    await reported(2);
    await settled();
    expect(control.reports.at(-1)).toMatchObject({ runningSequences: 7 });
    link.progressed();
    link.nudge();
    await reported(3);
  });

  it('joins again when its lease is gone', async () => {
    start();
    await settled();
    control.forgetLeases();
    clock.pass(LEASE_TTL_MS / 3);
    await reported(2);
    expect(control.reports.map(({ leaseId }) => leaseId)).toEqual([`lease-1-of-${control.address}`, `lease-2-of-${control.address}`]);
  });

  it('hands on the snapshot in force and each newer one', async () => {
    control.publish(snapshot(1));
    start();
    await expect.poll(() => snapshots).toEqual([snapshot(1)]);
    control.publish(snapshot(2));
    await expect.poll(() => snapshots).toEqual([snapshot(1), snapshot(2)]);
  });

  it('joins, reports and watches again after the control plane restarted', async () => {
    start();
    control.publish(snapshot(1));
    await expect.poll(() => snapshots).toEqual([snapshot(1)]);
    await settled();
    link.nudge();
    await restart();
    control.publish(snapshot(2));
    await retryingUntil(() => control.reports.length > 0 && snapshots.length === 2);
    expect(control.joins).toEqual([REGISTRATION]);
    expect(snapshots).toEqual([snapshot(1), snapshot(2)]);
  });

  it('waits for a control plane that is not there yet', async () => {
    const { port } = control;
    await control.stop();
    start();
    await expect.poll(() => clock.sleeping).toBe(2);
    control = await TestControlPlane.start({ port });
    await retryingUntil(() => control.reports.length > 0);
    expect(control.joins).toEqual([REGISTRATION]);
  });

  it('ends with the sentence of a cluster that does not take this worker, and asks no more', async () => {
    control.refusal = new AppError('failed_precondition', 'this worker does not go with the others');
    await expect(link.run(stop.signal)).rejects.toMatchObject({ message: 'this worker does not go with the others' });
    expect([control.joins, control.reports]).toEqual([[], []]);
  });

  it('does not hammer a control plane that ends each watch', async () => {
    control.watch = async function* () {
      control.watches++;
    };
    start();
    await expect.poll(() => control.watches).toBe(1);
    await expect.poll(() => clock.sleeping).toBe(2);
    for (const count of [2, 3]) {
      clock.pass(RETRY_MS);
      await expect.poll(() => control.watches).toBe(count);
    }
  });
});

describe('when told to stop', () => {
  it('it gives the lease back and leaves nothing waiting', async () => {
    start();
    await settled();
    stop.abort();
    await running;
    expect(control.left).toEqual([`lease-1-of-${control.address}`]);
    expect(clock.sleeping).toBe(0);
  });

  it('it ends also where nobody takes the lease back', async () => {
    start();
    await settled();
    await control.stop();
    stop.abort();
    await running;
    expect(clock.sleeping).toBe(0);
    control = await TestControlPlane.start();
  });

  it('it ends while it still tries to join', async () => {
    await control.stop();
    start();
    await expect.poll(() => clock.sleeping).toBe(2);
    stop.abort();
    await running;
    control = await TestControlPlane.start();
  });
});

describe('last words', () => {
  it('are one report more, with what is wrong', async () => {
    start();
    await settled();
    runningSequences = 3;
    await link.lastWords();
    expect(control.reports.at(-1)).toMatchObject({ runningSequences: 3 });
  });

  it('need no lease and no listener', async () => {
    await link.lastWords();
    expect(control.reports).toEqual([]);
    start();
    await settled();
    await control.stop();
    await link.lastWords();
    control = await TestControlPlane.start();
  });
});
