import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AppError, type SequenceEvent } from '@essaim/core';
import { type ExpertBatch } from '@essaim/dispatch';
import { workerV1 } from '@essaim/contracts';
import { type DuplexHandler } from '../src/bridge/duplex.ts';
import { peerServerCredentials } from '../src/bridge/security.ts';
import { type Handlers } from '../src/bridge/service.ts';
import { messageCodec } from '../src/bridge/service-definition.ts';
import { statusOf } from '../src/bridge/status.ts';
import { GrpcServer } from '../src/grpc-server.ts';
import { ACTIVATION_DTYPES, type ActivationDtype, connectWorker, serveWorker, type WorkerApi } from '../src/index.ts';
import { CALLS_PER_STREAM } from '../src/worker/limits.ts';
import { createTestCluster, type TestCluster } from './certificates.ts';
import { batch, EVENTS, SEQUENCE_REQUEST } from './samples.ts';
import { aborted, collect, NEVER } from './streams.ts';

let cluster: TestCluster;
const cleanups: (() => unknown)[] = [];

beforeAll(async () => void (cluster = await createTestCluster()));
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function* replay(): AsyncGenerator<SequenceEvent> {
  yield* EVENTS;
}

/** An expert that halves every value, so that a reply is told from an echo. */
const halve = ({ activations }: ExpertBatch): Promise<Float32Array> => Promise.resolve(activations.map((value) => value / 2));

async function serve(api: Partial<WorkerApi>): Promise<GrpcServer> {
  const whole: WorkerApi = { lead: { generate: replay }, expert: { execute: halve }, epoch: () => 3, ...api };
  const server = await serveWorker(whole, { host: '127.0.0.1', port: 0, tls: cluster.worker });
  cleanups.push(() => server.close({ graceMs: 0 }));
  return server;
}

/** A worker of another version, which answers each frame by itself and reads and writes them with protobuf-es. */
async function serveOlder(answer: (frame: workerV1.ExecuteRequest) => MessageInitShape<typeof workerV1.ExecuteResponseSchema> | null): Promise<GrpcServer> {
  const server = new GrpcServer({ host: '127.0.0.1', port: 0, credentials: peerServerCredentials(cluster.worker, '127.0.0.1'), receiveBytes: 1 << 20 });
  cleanups.push(() => server.close({ graceMs: 0 }));
  const handlers: Handlers<typeof workerV1.WorkerService> = {
    generate: () => { throw new AppError('unimplemented', 'not here'); },
    execute: {
      codec: messageCodec(workerV1.ExecuteRequestSchema, workerV1.ExecuteResponseSchema),
      answer: ({ read, send }) => read((request) => {
        const response = answer(request);
        return response === null ? null : send(create(workerV1.ExecuteResponseSchema, response));
      }),
    } satisfies DuplexHandler<workerV1.ExecuteRequest, workerV1.ExecuteResponse>,
  };
  return server.add({ descriptor: workerV1.WorkerService, handlers, access: { generate: 'anyone', execute: 'anyone' } }).listen();
}

function connect(address: string, role: 'gateway' | 'worker', wireDtype?: ActivationDtype): ReturnType<typeof connectWorker> {
  const worker = connectWorker(address, { tls: cluster[role], ...(wireDtype && { wireDtype }) });
  cleanups.push(() => worker.close());
  return worker;
}

describe('generate', () => {
  it('streams every event as the lead sent it, and the lead sees the request as the gateway sent it', async () => {
    const requests: unknown[] = [];
    const server = await serve({ lead: { generate: (request) => (requests.push(request), replay()) } });
    expect(await collect(connect(server.address, 'gateway').generate(SEQUENCE_REQUEST, NEVER))).toEqual(EVENTS);
    expect(requests).toEqual([SEQUENCE_REQUEST]);
  });

  it('carries the code and the sentence of a refusal', async () => {
    const server = await serve({ lead: { generate: () => { throw new AppError('resource_exhausted', 'too many sequences wait here'); } } });
    await expect(collect(connect(server.address, 'gateway').generate(SEQUENCE_REQUEST, NEVER)))
      .rejects.toMatchObject({ name: 'AppError', code: 'resource_exhausted', message: 'too many sequences wait here' });
  });

  it('never sends the cause of an unclassified error', async () => {
    const failures: AppError[] = [];
    const server = await serveWorker(
      { lead: { generate: () => { throw new Error('secret /path'); } }, expert: { execute: halve }, epoch: () => 1 },
      { host: '127.0.0.1', port: 0, tls: cluster.worker, onFailure: ({ error }) => failures.push(error) },
    );
    cleanups.push(() => server.close({ graceMs: 0 }));
    const failure = await collect(connect(server.address, 'gateway').generate(SEQUENCE_REQUEST, NEVER)).catch((thrown: unknown) => thrown as AppError);
    expect(failure).toMatchObject({ code: 'internal', message: 'an internal error occurred' });
    expect(String((failure as AppError).cause)).not.toContain('secret');
    expect(failures.map((error) => String(error.cause))).toEqual(['Error: secret /path']);
  });

  it.each(['the signal', 'leaving the loop'])('aborts the lead\'s signal on %s', async (how) => {
    const gone = Promise.withResolvers<void>();
    const server = await serve({
      lead: {
        async *generate(_request, signal) {
          yield EVENTS[1]!;
          await aborted(signal);
          gone.resolve();
        },
      },
    });
    const stop = new AbortController();
    const consume = async (): Promise<void> => {
      for await (const _event of connect(server.address, 'gateway').generate(SEQUENCE_REQUEST, stop.signal)) {
        if (how === 'leaving the loop') return;
        stop.abort();
      }
    };
    if (how === 'leaving the loop') await consume();
    else await expect(consume()).rejects.toMatchObject({ code: 'cancelled' });
    await gone.promise;
  });

  it('ends at the deadline although the lead does not', async () => {
    const server = await serve({ lead: { async *generate(_request, signal) { yield EVENTS[1]!; await aborted(signal); } } });
    await expect(collect(connect(server.address, 'gateway').generate({ ...SEQUENCE_REQUEST, timeoutMs: 1 }, NEVER))).rejects.toMatchObject({ code: 'deadline_exceeded' });
  });

  it('fails with unavailable when the server is forced shut in the middle, naming the address', async () => {
    const server = await serve({ lead: { async *generate(_request, signal) { yield EVENTS[1]!; await aborted(signal); } } });
    const events = connect(server.address, 'gateway').generate(SEQUENCE_REQUEST, NEVER)[Symbol.asyncIterator]();
    await events.next();
    await server.close({ graceMs: 0 });
    await expect(events.next()).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining(server.address) as string });
  });

  it('lets a stream finish within the grace of closing', async () => {
    const release = Promise.withResolvers<void>();
    const server = await serve({ lead: { async *generate() { yield EVENTS[1]!; await release.promise; yield EVENTS[3]!; } } });
    const events = connect(server.address, 'gateway').generate(SEQUENCE_REQUEST, NEVER)[Symbol.asyncIterator]();
    await events.next();
    const closed = server.close({ graceMs: 20_000 });
    release.resolve();
    expect(await events.next()).toEqual({ done: false, value: EVENTS[3] });
    expect(await events.next()).toMatchObject({ done: true });
    await closed;
  });

  it('stops asking the lead for more while the gateway does not read', async () => {
    const large: SequenceEvent = { kind: 'prompt', logprobs: Array.from({ length: 4_000 }, () => ({ logprob: -1, top: Array.from({ length: 20 }, (_, id) => ({ id, logprob: -2 })) })) };
    let asked = 0;
    const server = await serve({ lead: { async *generate() { for (; asked < 2_000; asked++) yield large; } } });
    const events = connect(server.address, 'gateway').generate(SEQUENCE_REQUEST, NEVER)[Symbol.asyncIterator]();
    await events.next();
    let before = -1;
    while (before !== asked) {
      before = asked;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    expect(asked).toBeLessThan(500);
    await events.return?.();
  });
});

describe('execute', () => {
  it('returns the rows of a batch of 4 MiB, again and again over one stream', async () => {
    const server = await serve({});
    const worker = connect(server.address, 'worker');
    for (let call = 0; call < 3; call++) {
      const sent = batch(256, 4096);
      const received = await worker.execute(sent, NEVER);
      expect(Buffer.compare(Buffer.from(received.buffer, received.byteOffset, received.byteLength), Buffer.from(sent.activations.map((value) => value / 2).buffer))).toBe(0);
    }
  });

  it('hands the expert exactly the batch that the lead sent', async () => {
    const batches: ExpertBatch[] = [];
    const server = await serve({ expert: { execute: (received) => (batches.push(received), halve(received)) } });
    const sent = batch(3, 8);
    await connect(server.address, 'worker').execute(sent, NEVER);
    expect(batches).toEqual([sent]);
  });

  it.each(ACTIVATION_DTYPES)('in %s carries a row of small whole numbers exactly, both ways', async (wireDtype) => {
    const batches: ExpertBatch[] = [];
    const server = await serve({ expert: { execute: (received) => (batches.push(received), halve(received)) } });
    const sent = { ...batch(3, 40), activations: Float32Array.from({ length: 120 }, (_, index) => (index % 2 === 0 ? 127 : -2 * (index % 60))) };
    expect(await connect(server.address, 'worker', wireDtype).execute(sent, NEVER)).toEqual(await halve(sent));
    expect(batches).toEqual([sent]);
  });

  it.each(['f16', 'bf16', 'int8'] as const)('in %s carries the exact bits of a batch whose rows are not to be reduced', async (wireDtype) => {
    const sent = { ...batch(2, 2), activations: Float32Array.of(1 / 3, -1e-30, 1e30, NaN), reduce: false };
    const server = await serve({});
    expect(await connect(server.address, 'worker', wireDtype).execute(sent, NEVER)).toEqual(await halve(sent));
  });

  it('asks a worker that can not read the dtype again in f32, and never again otherwise', async () => {
    const dtypes: number[] = [];
    const { F32 } = workerV1.ActivationDtype;
    const server = await serveOlder(({ frame }) => {
      if (frame.case !== 'call') return null;
      const { callId, dtype, activations } = frame.value;
      dtypes.push(dtype);
      const failure = { code: statusOf('unimplemented'), reason: 'only f32 can be read here' };
      return { callId, outcome: dtype === F32 ? { case: 'result', value: { dtype, activations } } : { case: 'failure', value: failure } };
    });
    const worker = connect(server.address, 'worker', 'f16');
    const sent = batch(2, 4);
    for (let call = 0; call < 2; call++) expect(await worker.execute(sent, NEVER)).toEqual(sent.activations);
    expect(dtypes).toEqual([workerV1.ActivationDtype.F16, F32, F32]);
  });

  it('returns one row per pair without reduce', async () => {
    const sent = { ...batch(2, 4), rowOffsets: Uint32Array.of(0, 2, 3), experts: Uint32Array.of(0, 1, 1), gates: Float32Array.of(0.5, 0.5, 1), reduce: false };
    const server = await serve({ expert: { execute: () => Promise.resolve(new Float32Array(12).fill(9)) } });
    expect(await connect(server.address, 'worker').execute(sent, NEVER)).toEqual(new Float32Array(12).fill(9));
  });

  it('answers in any order', async () => {
    const slow = Promise.withResolvers<void>();
    const server = await serve({ expert: { execute: async (received) => { if (received.step === 1) await slow.promise; return halve(received); } } });
    const worker = connect(server.address, 'worker');
    const first = worker.execute(batch(1, 4), NEVER);
    await worker.execute({ ...batch(1, 4), step: 2 }, NEVER);
    slow.resolve();
    await first;
  });

  it('fails one call with the code and sentence of the expert, and the stream goes on', async () => {
    const server = await serve({ expert: { execute: (received) => (received.step === 1 ? Promise.reject(new AppError('failed_precondition', 'expert 3 is not here')) : halve(received)) } });
    const worker = connect(server.address, 'worker');
    await expect(worker.execute(batch(1, 4), NEVER)).rejects.toMatchObject({ code: 'failed_precondition', message: `expert 3 is not here (worker ${server.address} is at epoch 3)` });
    await worker.execute({ ...batch(1, 4), step: 2 }, NEVER);
  });

  it('refuses a reply of another size than asked for', async () => {
    const server = await serve({ expert: { execute: () => Promise.resolve(new Float32Array(3)) } });
    await expect(connect(server.address, 'worker').execute(batch(1, 4), NEVER)).rejects.toMatchObject({ code: 'internal' });
  });

  it('tells the expert when the lead no longer waits', async () => {
    const started = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    const server = await serve({ expert: { execute: async (_batch, signal) => { started.resolve(); await aborted(signal); gone.resolve(); throw signal.reason; } } });
    const stop = new AbortController();
    const call = connect(server.address, 'worker').execute(batch(1, 4), stop.signal);
    await started.promise;
    stop.abort();
    await expect(call).rejects.toMatchObject({ code: 'cancelled' });
    await gone.promise;
  });

  it('tells the expert when the lead is gone', async () => {
    const started = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    const server = await serve({ expert: { execute: async (_batch, signal) => { started.resolve(); await aborted(signal); gone.resolve(); throw signal.reason; } } });
    const worker = connect(server.address, 'worker');
    const call = worker.execute(batch(1, 4), NEVER);
    await started.promise;
    worker.close();
    await expect(call).rejects.toMatchObject({ code: 'unavailable' });
    await gone.promise;
  });

  it('fails every pending call when the worker dies, fails fast while it is down, and works again when it is back', async () => {
    const server = await serve({ expert: { execute: async (_batch, signal) => { await aborted(signal); throw signal.reason; } } });
    const worker = connect(server.address, 'worker');
    const pending = [1, 2, 3].map(() => worker.execute(batch(1, 4), NEVER));
    const warm = connect(server.address, 'worker');
    await expect(Promise.race([warm.execute(batch(1, 4), AbortSignal.timeout(500))])).rejects.toMatchObject({ code: 'deadline_exceeded' });
    await server.close({ graceMs: 0 });
    for (const call of pending) await expect(call).rejects.toMatchObject({ code: 'unavailable' });
    await expect(worker.execute(batch(1, 4), NEVER)).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining(server.address) as string });
    const again = await serveWorker({ lead: { generate: replay }, expert: { execute: halve }, epoch: () => 4 }, { host: '127.0.0.1', port: server.port, tls: cluster.worker });
    cleanups.push(() => again.close({ graceMs: 0 }));
    await expect.poll(() => worker.execute(batch(1, 4), NEVER).then(() => 'answered', () => 'refused'), { timeout: 10_000 }).toBe('answered');
  });

  it('rejects, and never throws, once the connection is closed', async () => {
    const server = await serve({});
    const worker = connect(server.address, 'worker');
    await worker.execute(batch(1, 4), NEVER);
    worker.close();
    const call = worker.execute(batch(1, 4), NEVER);
    await expect(call).rejects.toMatchObject({ name: 'AppError', code: 'unavailable', message: `the connection to ${server.address} is closed` });
  });

  it('finishes calls under way when the worker closes with grace', async () => {
    const started = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const server = await serve({ expert: { execute: async (received) => { started.resolve(); await release.promise; return halve(received); } } });
    const call = connect(server.address, 'worker').execute(batch(1, 4), NEVER);
    await started.promise;
    const closed = server.close({ graceMs: 20_000 });
    release.resolve();
    expect(await call).toHaveLength(4);
    await closed;
  });

  it('refuses more calls at once than its bound, and takes calls again after', async () => {
    const release = Promise.withResolvers<void>();
    const server = await serve({ expert: { execute: async (received) => { await release.promise; return halve(received); } } });
    const worker = connect(server.address, 'worker');
    const calls = Array.from({ length: CALLS_PER_STREAM }, () => worker.execute(batch(1, 4), NEVER));
    await expect(worker.execute(batch(1, 4), NEVER)).rejects.toMatchObject({ code: 'resource_exhausted' });
    release.resolve();
    await Promise.all(calls);
    await worker.execute(batch(1, 4), NEVER);
  });
});
