import { Server, ServerCredentials } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { AppError } from '@essaim/core';
import { type ExpertGroup, type ExpertPeer, type ExpertQueueLimits, type ExpertRunner, LocalExperts } from '@essaim/dispatch';
import { connectWorker, serveWorker } from '../src/index.ts';
import { CALLS_PER_STREAM } from '../src/worker/limits.ts';
import { batch } from './samples.ts';
import { NEVER } from './streams.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

/** Experts that double every value, one run after the other, each when a test says so. */
class HeldRunner implements ExpertRunner {
  readonly runs: { readonly rows: number; readonly finish: () => void }[] = [];
  /** That have arrived, waiting ones included. */
  calls = 0;

  holds(): boolean {
    return true;
  }

  run(_layer: number, groups: readonly ExpertGroup[]): Promise<Float32Array[]> {
    return new Promise((resolve) => {
      const results = groups.map(({ activations }) => activations.map((value) => 2 * value));
      this.runs.push({ rows: groups.reduce((sum, { activations }) => sum + activations.length, 0) / WIDTH, finish: () => resolve(results) });
    });
  }

  async begun(): Promise<HeldRunner['runs'][number]> {
    await expect.poll(() => this.runs.length).toBeGreaterThan(0);
    return this.runs.shift()!;
  }
}

const WIDTH = 4;
/** Each row goes to one expert, with a gate of 1. */
const rows = (count: number): ReturnType<typeof batch> => {
  const offsets = Uint32Array.from({ length: count + 1 }, (_, row) => row);
  return { ...batch(count, WIDTH), layer: 0, rowOffsets: offsets, experts: new Uint32Array(count), gates: new Float32Array(count).fill(1), reduce: true };
};

async function serve(runner: HeldRunner, limits: ExpertQueueLimits): Promise<string> {
  const experts = new LocalExperts({ runner, epoch: () => 0, clock: { nowMs: () => 0, sleep: () => Promise.resolve() }, limits });
  const expert: ExpertPeer = {
    execute: (...call) => {
      runner.calls++;
      return experts.execute(...call);
    },
  };
  const lead = { async *generate(): AsyncGenerator<never> { throw new AppError('unimplemented', 'not here'); } };
  const server = await serveWorker({ lead, expert, epoch: () => 0 }, { host: '127.0.0.1', port: 0, tls: 'insecure-loopback' });
  cleanups.push(() => server.close({ graceMs: 0 }));
  return server.address;
}

/** A worker that takes the stream and never reads from it. */
async function serveDeaf(): Promise<string> {
  const server = new Server();
  const frames = { requestSerialize: Buffer.from, requestDeserialize: (bytes: Buffer) => bytes, responseSerialize: Buffer.from, responseDeserialize: (bytes: Buffer) => bytes };
  server.addService({ execute: { path: '/essaim.worker.v1.WorkerService/Execute', requestStream: true, responseStream: true, ...frames } }, { execute: () => undefined });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error === null ? resolve(bound) : reject(error)));
  });
  cleanups.push(() => server.forceShutdown());
  return `127.0.0.1:${port}`;
}

function connect(address: string): ReturnType<typeof connectWorker> {
  const worker = connectWorker(address, { tls: 'insecure-loopback' });
  cleanups.push(() => worker.close());
  return worker;
}

describe('an expert worker of several leads', () => {
  it('runs together what they sent while it was busy, and gives each its own rows', async () => {
    const runner = new HeldRunner();
    const address = await serve(runner, { waitingRows: 100, batchRows: 100 });
    const leads = [connect(address), connect(address), connect(address)];
    const first = leads[0]!.execute(rows(1), NEVER);
    const running = await runner.begun();
    const sent = [2, 3].map(rows);
    const answers = sent.map((each, nth) => leads[nth + 1]!.execute(each, NEVER));
    await expect.poll(() => runner.calls).toBe(3);
    running.finish();
    const joint = await runner.begun();
    expect(joint.rows).toBe(5);
    joint.finish();
    expect(await Promise.all(answers)).toEqual(sent.map(({ activations }) => activations.map((value) => 2 * value)));
    await first;
  });

  it('refuses what is too much at once, with the code by which a lead goes elsewhere or comes again', async () => {
    const runner = new HeldRunner();
    const worker = connect(await serve(runner, { waitingRows: 2, batchRows: 2 }));
    const first = worker.execute(rows(1), NEVER);
    const running = await runner.begun();
    const second = worker.execute(rows(2), NEVER);
    await expect(worker.execute(rows(1), NEVER)).rejects.toMatchObject({ code: 'resource_exhausted', message: expect.stringContaining('2 rows wait') as string });
    running.finish();
    (await runner.begun()).finish();
    await Promise.all([first, second]);
  });

  it('never computes what a lead no longer waits for', async () => {
    const runner = new HeldRunner();
    const worker = connect(await serve(runner, { waitingRows: 100, batchRows: 100 }));
    const first = worker.execute(rows(1), NEVER);
    const running = await runner.begun();
    const leaving = new AbortController();
    const left = worker.execute(rows(50), leaving.signal);
    const stays = worker.execute(rows(2), NEVER);
    leaving.abort();
    await expect(left).rejects.toMatchObject({ code: 'cancelled' });
    // Frames of one stream are read in order: when this is refused, the cancellation has been read.
    await expect(worker.execute(rows(100), NEVER)).rejects.toMatchObject({ message: expect.stringContaining('2 rows wait') as string });
    running.finish();
    const next = await runner.begun();
    expect(next.rows).toBe(2);
    next.finish();
    await Promise.all([first, stays]);
  });
});

it('a worker that reads nothing is sent a bounded number of calls, those that were given up included', async () => {
  const worker = connect(await serveDeaf());
  const large = batch(64, 4096);
  const call = async (): Promise<string> => {
    const giveUp = new AbortController();
    const outcome = worker.execute(large, giveUp.signal).then(() => 'answered', (error: AppError) => error.code);
    // Let the stream hand on what it can before the call is given up.
    await new Promise((resolve) => setImmediate(resolve));
    giveUp.abort();
    return outcome;
  };
  const codes: string[] = [];
  while (codes.at(-1) !== 'resource_exhausted' && codes.length < 10 * CALLS_PER_STREAM) codes.push(await call());
  expect(codes.at(-1)).toBe('resource_exhausted');
  expect(codes.slice(0, -1)).toEqual(new Array(codes.length - 1).fill('cancelled'));
});
