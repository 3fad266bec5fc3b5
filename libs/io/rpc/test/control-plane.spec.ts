import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AppError, type ClusterSnapshot, leaseId, LIMITS } from '@essaim/core';
import { connectControlPlane, type ControlPlaneApi, type GrpcServer, serveControlPlane } from '../src/index.ts';
import { createTestCluster, type TestCluster } from './certificates.ts';
import { REGISTRATION, REPORT, snapshot } from './samples.ts';
import { aborted, collect, NEVER } from './streams.ts';

let cluster: TestCluster;
const cleanups: (() => unknown)[] = [];

beforeAll(async () => void (cluster = await createTestCluster()));
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

const LEASE = { id: leaseId('lease-1'), ttlMs: 3_000 };

const IDLE: ControlPlaneApi = {
  model: () => Promise.resolve(snapshot(1).model),
  join: () => Promise.resolve(LEASE),
  report: () => Promise.resolve(),
  leave: () => Promise.resolve(),
  async *watch(signal) {
    await aborted(signal);
  },
};

async function serve(api: Partial<ControlPlaneApi>, port = 0): Promise<GrpcServer> {
  const server = await serveControlPlane({ ...IDLE, ...api }, { host: '127.0.0.1', port, tls: cluster['control-plane'] });
  cleanups.push(() => server.close({ graceMs: 0 }));
  return server;
}

function connect(address: string, role: 'gateway' | 'worker' = 'worker'): ReturnType<typeof connectControlPlane> {
  const controlPlane = connectControlPlane(address, { tls: cluster[role] });
  cleanups.push(() => controlPlane.close());
  return controlPlane;
}

/** Yields this snapshot, then nothing until the watch ends. */
const holding = (epoch: number) => async function* (signal: AbortSignal): AsyncGenerator<ClusterSnapshot> {
  yield snapshot(epoch);
  await aborted(signal);
};

describe('join, report and leave', () => {
  it('hand over exactly what the worker said, and give the lease back', async () => {
    const said: unknown[] = [];
    const { address } = await serve({
      join: (registration) => (said.push(registration), Promise.resolve(LEASE)),
      report: (report) => (said.push(report), Promise.resolve()),
      leave: (lease) => (said.push(lease), Promise.resolve()),
    });
    const controlPlane = connect(address);
    expect(await controlPlane.model(NEVER)).toEqual(snapshot(1).model);
    expect(await controlPlane.join(REGISTRATION, NEVER)).toEqual(LEASE);
    await controlPlane.report(REPORT, NEVER);
    await controlPlane.leave(LEASE.id, NEVER);
    expect(said).toEqual([REGISTRATION, REPORT, LEASE.id]);
  });

  it('carry the code and the sentence of a refusal', async () => {
    const { address } = await serve({ report: () => Promise.reject(new AppError('not_found', 'lease lease-1 is gone: join again')) });
    await expect(connect(address).report(REPORT, NEVER)).rejects.toMatchObject({ name: 'AppError', code: 'not_found', message: 'lease lease-1 is gone: join again' });
  });

  it('fail with the caller\'s own reason when it aborts, and the control plane learns of it', async () => {
    const started = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    const { address } = await serve({ join: async (_registration, signal) => { started.resolve(); await aborted(signal); gone.resolve(); throw signal.reason; } });
    const stop = new AbortController();
    const joining = connect(address).join(REGISTRATION, stop.signal);
    await started.promise;
    stop.abort(new AppError('cancelled', 'this process was asked to stop'));
    await expect(joining).rejects.toMatchObject({ code: 'cancelled', message: 'this process was asked to stop' });
    await gone.promise;
  });

  it('are not even sent when the signal is aborted already', async () => {
    const { address } = await serve({ join: () => Promise.reject(new Error('not to be called')) });
    await expect(connect(address).join(REGISTRATION, AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('end at a deadline of one lease, and the control plane stops too', async () => {
    const gone = Promise.withResolvers<void>();
    const { address } = await serve({ report: async (_report, signal) => { await aborted(signal); gone.resolve(); } });
    await expect(connect(address).report(REPORT, NEVER)).rejects.toMatchObject({ code: 'deadline_exceeded', message: `Report at ${address} did not end before its deadline` });
    await gone.promise;
  }, LIMITS.leaseTtlMs + 30_000);

  it('fail at once with unavailable while nobody is there, and work when somebody is', async () => {
    const server = await serve({});
    const { address, port } = server;
    await server.close({ graceMs: 0 });
    const controlPlane = connect(address);
    await expect(controlPlane.join(REGISTRATION, NEVER)).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining(`${address} can't be reached`) as string });
    await serve({}, port);
    await expect.poll(() => controlPlane.join(REGISTRATION, NEVER).catch(() => null), { timeout: 20_000 }).toEqual(LEASE);
  });

  it.each(['model', 'join', 'report', 'leave', 'watch'] as const)('%s fails with unavailable once the connection is closed', async (method) => {
    const { address } = await serve({});
    const controlPlane = connect(address);
    controlPlane.close();
    const calls = {
      model: () => controlPlane.model(NEVER),
      join: () => controlPlane.join(REGISTRATION, NEVER),
      report: () => controlPlane.report(REPORT, NEVER),
      leave: () => controlPlane.leave(LEASE.id, NEVER),
      watch: () => collect(controlPlane.watch(NEVER)),
    };
    await expect(calls[method]()).rejects.toMatchObject({ name: 'AppError', code: 'unavailable', message: `the connection to ${address} is closed` });
  });
});

describe('watch', () => {
  it('gives workers and gateways each snapshot as it was published', async () => {
    const { address } = await serve({ watch: holding(7) });
    for (const role of ['worker', 'gateway'] as const) {
      const snapshots = connect(address, role).watch(NEVER)[Symbol.asyncIterator]();
      expect(await snapshots.next()).toEqual({ done: false, value: snapshot(7) });
      await snapshots.return?.();
    }
  });

  it('skips to the newest snapshot for a reader that is slow', async () => {
    const read = Promise.withResolvers<void>();
    const published = Promise.withResolvers<void>();
    const { address } = await serve({
      async *watch(signal) {
        yield snapshot(1);
        await read.promise;
        for (let epoch = 2; epoch <= 50; epoch++) yield snapshot(epoch);
        published.resolve();
        await aborted(signal);
      },
    });
    const controlPlane = connect(address);
    const epochs: number[] = [];
    for await (const { epoch } of controlPlane.watch(NEVER)) {
      epochs.push(epoch);
      if (epoch === 1) {
        read.resolve();
        await published.promise;
        // An answer over the same connection comes after what was sent before it.
        await controlPlane.join(REGISTRATION, NEVER);
      }
      if (epoch === 50) break;
    }
    expect(epochs[0]).toBe(1);
    expect(epochs.at(-1)).toBe(50);
    expect(epochs.length).toBeLessThan(50);
    expect(epochs).toEqual(epochs.toSorted((a, b) => a - b));
  });

  it.each(['the signal', 'leaving the loop'])('tells the control plane of the end on %s', async (how) => {
    const gone = Promise.withResolvers<void>();
    const { address } = await serve({
      async *watch(signal) {
        yield snapshot(1);
        await aborted(signal);
        gone.resolve();
      },
    });
    const stop = new AbortController();
    const watching = (async () => {
      for await (const _snapshot of connect(address).watch(stop.signal)) {
        if (how === 'leaving the loop') return;
        stop.abort(new AppError('cancelled', 'enough'));
      }
    })();
    if (how === 'leaving the loop') await watching;
    else await expect(watching).rejects.toMatchObject({ code: 'cancelled', message: 'enough' });
    await gone.promise;
  });

  it('ends with unavailable when the control plane closes, which does not wait for it', async () => {
    const server = await serve({ watch: holding(1) });
    const snapshots = connect(server.address).watch(NEVER)[Symbol.asyncIterator]();
    await snapshots.next();
    const closed = server.close({ graceMs: 60_000 });
    await expect(snapshots.next()).rejects.toMatchObject({ code: 'unavailable', message: `${server.address} is shutting down` });
    await closed;
  });

  it('ends with unavailable when the control plane dies, and can be opened again over the same connection when it is back', async () => {
    const server = await serve({ watch: holding(1) });
    const controlPlane = connect(server.address);
    const before = controlPlane.watch(NEVER)[Symbol.asyncIterator]();
    await before.next();
    await server.close({ graceMs: 0 });
    await expect(before.next()).rejects.toMatchObject({ code: 'unavailable' });
    await serve({ watch: holding(2) }, server.port);
    const first = async (): Promise<number | null> => {
      for await (const { epoch } of controlPlane.watch(NEVER)) return epoch;
      return null;
    };
    await expect.poll(() => first().catch(() => null), { timeout: 20_000 }).toBe(2);
  });

  it('carries the error that ends it at its source', async () => {
    const { address } = await serve({ watch: () => { throw new AppError('failed_precondition', 'this control plane does not lead'); } });
    await expect(collect(connect(address).watch(NEVER))).rejects.toMatchObject({ code: 'failed_precondition', message: 'this control plane does not lead' });
  });
});

describe('a port', () => {
  it('that is taken is refused with its number', async () => {
    const { address, port } = await serve({});
    await expect(serve({}, port)).rejects.toMatchObject({ name: 'AppError', code: 'failed_precondition', message: `port ${address} is taken: stop what listens there or choose another port` });
  });

  it('of an address that is not this machine\'s is refused', async () => {
    await expect(serveControlPlane(IDLE, { host: '192.0.2.1', port: 0, tls: cluster['control-plane'] }))
      .rejects.toMatchObject({ code: 'failed_precondition', message: expect.stringContaining("can't listen on 192.0.2.1:0") as string });
  });

  it('is free again after closing, which may be asked for twice', async () => {
    const server = await serve({});
    await server.close({ graceMs: 0 });
    await server.close({ graceMs: 0 });
    await serve({}, server.port);
  });
});
