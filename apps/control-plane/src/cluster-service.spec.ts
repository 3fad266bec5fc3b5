import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ClusterRole, type IssuedCertificate } from '@essaim/auth';
import { AppError, type ClusterSnapshot, hostedExperts, isServable, type Lease, LIMITS, workerId } from '@essaim/core';
import { type ClusterStore } from '@essaim/membership';
import { connectControlPlane, type GrpcServer, serveControlPlane } from '@essaim/rpc';
import { openSqliteClusterStore } from '@essaim/store';
import { createLogger } from '@essaim/telemetry';
import { ManualClock } from '@essaim/testing';
import { issueTestCertificates, openState, registration, report } from '../test/samples.ts';
import { ClusterService } from './cluster-service.ts';

const NEVER = new AbortController().signal;
const logger = createLogger({ component: 'test', level: 'silent' });

let certificates: Record<ClusterRole, IssuedCertificate>;
let folder: string;
const cleanups: (() => unknown)[] = [];

beforeAll(async () => void (certificates = await issueTestCertificates()));
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'essaim-control-plane-'));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
});
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

interface Running {
  readonly service: ClusterService;
  readonly server: GrpcServer;
  readonly clock: ManualClock;
  /** How `run` ends. */
  readonly ended: Promise<void>;
}

/** A real server over a real store, on a clock that the test moves. */
async function start(store: ClusterStore = openSqliteClusterStore(join(folder, 'store.sqlite'))): Promise<Running> {
  const clock = new ManualClock();
  const service = new ClusterService({ state: await openState(store), store, clock, logger });
  const server = await serveControlPlane(service, { host: '127.0.0.1', port: 0, tls: certificates['control-plane'] });
  const stop = new AbortController();
  const ended = service.run(stop.signal);
  ended.catch(() => undefined);
  cleanups.push(async () => {
    stop.abort();
    await server.close({ graceMs: 0 });
    await ended.catch(() => undefined);
    await store.close();
  });
  return { service, server, clock, ended };
}

function connect(server: GrpcServer, role: ClusterRole): ReturnType<typeof connectControlPlane> {
  const connection = connectControlPlane(server.address, { tls: certificates[role] });
  cleanups.push(() => connection.close());
  return connection;
}

/** Long enough for what is new to be published. */
const SHORT_MS = 200;

/** Reads on until a snapshot is as wanted. */
async function snapshotWhere(snapshots: AsyncIterator<ClusterSnapshot>, wanted: (snapshot: ClusterSnapshot) => boolean): Promise<ClusterSnapshot> {
  for (;;) {
    const next = await snapshots.next();
    if (next.done === true) throw new Error('the stream of snapshots ended');
    if (wanted(next.value)) return next.value;
  }
}

describe('the life of a cluster, over real sockets', () => {
  it('joins, loads, serves; a worker that falls silent is lost and its experts load on the other', async () => {
    const { server, clock } = await start();
    const [worker, gateway] = [connect(server, 'worker'), connect(server, 'gateway')];
    const snapshots = gateway.watch(NEVER)[Symbol.asyncIterator]();
    const leases: Lease[] = [];
    for (const id of ['w1', 'w2']) leases.push(await worker.join(registration(id), NEVER));
    expect(leases[0]!.ttlMs).toBe(LIMITS.leaseTtlMs);
    await clock.passInSteps(SHORT_MS);

    const placed = await snapshotWhere(snapshots, ({ workers }) => workers.length === 2);
    expect(placed.placement.flat(2).map(({ state }) => state)).toEqual(Array.from({ length: 8 }, () => 'loading'));
    const load = async (index: number, snapshot: ClusterSnapshot): Promise<void> =>
      worker.report(report(leases[index]!.id, { hosted: hostedExperts(snapshot, workerId(`w${index + 1}`)) }), NEVER);
    await load(0, placed);
    await load(1, placed);
    await clock.passInSteps(SHORT_MS);
    const servable = await snapshotWhere(snapshots, isServable);

    await clock.passInSteps(LIMITS.leaseTtlMs - 2 * SHORT_MS);
    await load(0, servable);
    await clock.passInSteps(LIMITS.leaseTtlMs - SHORT_MS);
    const replaced = await snapshotWhere(snapshots, ({ workers }) => workers.length === 1);
    expect(hostedExperts(replaced, workerId('w1')).length).toBe(8);
    await expect(load(1, replaced)).rejects.toMatchObject({ code: 'not_found' });
    await load(0, replaced);
    await clock.passInSteps(SHORT_MS);
    const again = await snapshotWhere(snapshots, isServable);
    expect(again.epoch).toBeGreaterThan(replaced.epoch);
  });

  it('lets a worker leave, and it is gone at once', async () => {
    const { server, service } = await start();
    const worker = connect(server, 'worker');
    const lease = await worker.join(registration('w1'), NEVER);
    await worker.leave(lease.id, NEVER);
    expect([service.members, service.lost]).toEqual([[], []]);
    await expect(worker.report(report(lease.id), NEVER)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('ends every watch when the server closes', async () => {
    const { server, service } = await start();
    const worker = connect(server, 'worker');
    const snapshots = worker.watch(NEVER)[Symbol.asyncIterator]();
    for (const id of ['w1', 'w2']) await worker.join(registration(id), NEVER);
    await snapshots.next();
    await server.close({ graceMs: 10_000 });
    await expect(snapshotWhere(snapshots, () => false)).rejects.toMatchObject({ code: 'unavailable' });
    expect(service.published).not.toBeNull();
  });
});

it('goes on with the same cluster id and higher epochs after a restart', async () => {
  const first = await start();
  for (const id of ['w1', 'w2']) await first.service.join(registration(id));
  await expect.poll(() => first.service.published).not.toBeNull();
  const second = await start();
  for (const id of ['w1', 'w2']) await second.service.join(registration(id));
  await expect.poll(() => second.service.published?.clusterId).toBe('test-cluster');
  expect(second.service.published!.epoch).toBeGreaterThan(first.service.published!.epoch);
});

it('makes few epochs of many small changes, the first of them at once', async () => {
  const { service, clock } = await start();
  for (const id of ['w1', 'w2']) await service.join(registration(id));
  await expect.poll(() => service.published?.epoch).toBe(1);
  const leases = service.members.map((member) => member.leaseId);
  for (let expert = 0; expert < 4; expert++) {
    for (const lease of leases) await service.report(report(lease, { hosted: hostedExperts(service.published!, workerId('w1')).slice(0, expert) }));
  }
  expect(service.published?.epoch).toBe(1);
  await clock.passInSteps(SHORT_MS);
  expect(service.published?.epoch).toBe(2);
});

it('publishes at once what lets the cluster serve', async () => {
  const { service } = await start();
  const leases: Lease[] = [];
  for (const id of ['w1', 'w2']) leases.push(await service.join(registration(id)));
  await expect.poll(() => service.published?.epoch).toBe(1);
  for (const [index, lease] of leases.entries()) await service.report(report(lease.id, { hosted: hostedExperts(service.published!, workerId(`w${index + 1}`)) }));
  await expect.poll(() => isServable(service.published!)).toBe(true);
  expect(service.published!.epoch).toBe(2);
});

it('ends with a worker\'s own sentence when it can not load and the cluster never served', async () => {
  const { service, ended } = await start();
  const lease = await service.join(registration('w1'));
  await service.report(report(lease.id, { failure: 'layer 3 is damaged: download the model again' }));
  await expect(ended).rejects.toMatchObject({ name: 'AppError', message: 'layer 3 is damaged: download the model again' });
});

describe('an epoch that can not be made durable', () => {
  /** A store that answers each commit as the test says. */
  function scriptedStore(answers: (AppError | null)[]): ClusterStore {
    return {
      open: async (clusterId) => ({ clusterId, epoch: 0 }),
      commitEpoch: async () => {
        const answer = answers.shift();
        if (answer) throw answer;
      },
      close: async () => undefined,
    };
  }

  it('is not published, but tried again until the store works', async () => {
    const { service, clock } = await start(scriptedStore([new AppError('unavailable', 'the disk is full')]));
    for (const id of ['w1', 'w2']) await service.join(registration(id));
    await expect.poll(() => service.problem?.message).toBe('the disk is full');
    expect(service.published).toBeNull();
    await clock.passInSteps(SHORT_MS);
    expect(service.published?.epoch).toBe(1);
    expect(service.problem).toBeNull();
  });

  it('ends this control plane when another one has gone further', async () => {
    const { service, ended } = await start(scriptedStore([new AppError('aborted', 'another control plane serves this cluster')]));
    for (const id of ['w1', 'w2']) await service.join(registration(id));
    await expect(ended).rejects.toMatchObject({ code: 'aborted' });
    expect(service.published).toBeNull();
  });
});
