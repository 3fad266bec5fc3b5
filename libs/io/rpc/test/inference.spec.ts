import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AppError, ERROR_CODES, LIMITS } from '@essaim/core';
import {
  connectInference, connectWorker, type InferenceApi, type InferenceCall, type InferenceConnectionOptions, type InferenceEvent, type InferenceRequest, type InferenceServer, type InferenceServerOptions,
  serveInference,
} from '../src/index.ts';
import { createTestCluster, type TestCluster } from './certificates.ts';
import { INFERENCE_REQUEST, SEQUENCE_REQUEST, STATS } from './samples.ts';
import { aborted, collect, failureOf, NEVER } from './streams.ts';

let cluster: TestCluster;
const cleanups: (() => unknown)[] = [];

beforeAll(async () => void (cluster = await createTestCluster()));
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

const CALL: InferenceCall = { signal: NEVER, authorization: null, requestId: null };

const EVENTS: readonly InferenceEvent[] = [
  { kind: 'delta', text: ' Il était', tokenIds: [7, 8], logprobs: [{ logprob: -0.5, top: [{ id: 7, logprob: -0.5 }] }, { logprob: -1, top: [] }] },
  { kind: 'delta', text: ' une fois 🐝', tokenIds: [], logprobs: [] },
  { kind: 'done', finishReason: 'stop', promptTokens: 3, completionTokens: 2, stats: STATS },
];

async function* replay(): AsyncGenerator<InferenceEvent> {
  yield* EVENTS;
}

async function serve(api: Partial<InferenceApi>, options: Partial<InferenceServerOptions> = {}): Promise<InferenceServer> {
  const whole: InferenceApi = { generate: replay, listModels: () => Promise.resolve([{ id: 'petit', contextLength: 2048 }]), ...api };
  const server = await serveInference(whole, { host: '127.0.0.1', port: 0, ...options });
  cleanups.push(() => server.close({ graceMs: 0 }));
  return server;
}

function connect(address: string, options: InferenceConnectionOptions = {}): ReturnType<typeof connectInference> {
  const gateway = connectInference(address, options);
  cleanups.push(() => gateway.close());
  return gateway;
}

describe('generate', () => {
  it('streams every event as the gateway made it', async () => {
    const { address } = await serve({});
    expect(await collect(connect(address).generate(INFERENCE_REQUEST, CALL))).toEqual(EVENTS);
  });

  it.each<InferenceRequest>([
    INFERENCE_REQUEST,
    { ...INFERENCE_REQUEST, prompt: { kind: 'tokens', ids: [1, 131_071] }, sampling: {}, stop: [], logprobs: 0 },
    { model: 'petit', prompt: { kind: 'text', text: '' }, sampling: { seed: -1n, topK: 0, logitBias: new Map([[3, -100], [7, 0.5]]) }, minTokens: 2, stop: ['\n', 'é'], stopTokenIds: [2], ignoreEos: true, logprobs: 20 },
  ])('hands over the request as the client sent it: $sampling', async (request) => {
    const requests: unknown[] = [];
    const { address } = await serve({ generate: (received) => (requests.push(received), replay()) });
    await collect(connect(address).generate(request, CALL));
    expect(requests).toEqual([request]);
  });

  it.each(['the signal', 'leaving the loop'])('aborts the gateway\'s signal on %s', async (how) => {
    const gone = Promise.withResolvers<void>();
    const { address } = await serve({
      async *generate(_request, { signal }) {
        yield EVENTS[0]!;
        await aborted(signal);
        gone.resolve();
      },
    });
    const stop = new AbortController();
    const reading = (async () => {
      for await (const _event of connect(address).generate(INFERENCE_REQUEST, { ...CALL, signal: stop.signal })) {
        if (how === 'leaving the loop') return;
        stop.abort();
      }
    })();
    if (how === 'leaving the loop') await reading;
    else await expect(reading).rejects.toMatchObject({ code: 'cancelled' });
    await gone.promise;
  });

  it('refuses a request that is larger than the limit before the gateway sees it', async () => {
    const { address } = await serve({ generate: () => { throw new Error('not to be called'); } });
    const text = 'é'.repeat(LIMITS.requestBodyBytes / 2);
    await expect(collect(connect(address).generate({ ...INFERENCE_REQUEST, prompt: { kind: 'text', text } }, CALL)))
      .rejects.toMatchObject({ name: 'AppError', code: 'resource_exhausted', message: `Generate at ${address} exceeded a message limit` });
  });

  it('takes a request just under the limit', async () => {
    const { address } = await serve({});
    const text = 'x'.repeat(LIMITS.requestBodyBytes - 1024);
    expect(await collect(connect(address).generate({ ...INFERENCE_REQUEST, prompt: { kind: 'text', text } }, CALL))).toEqual(EVENTS);
  });

  it('fails with unavailable when the gateway dies in the middle', async () => {
    const server = await serve({ async *generate(_request, { signal }) { yield EVENTS[0]!; await aborted(signal); } });
    const events = connect(server.address).generate(INFERENCE_REQUEST, CALL)[Symbol.asyncIterator]();
    await events.next();
    await server.close({ graceMs: 0 });
    await expect(events.next()).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('a failure', () => {
  it.each(ERROR_CODES)('%s keeps its code and its sentence on the way to the client', async (code) => {
    const sentence = `field "prompt" é 100% ${code}: do this instead`;
    const { address } = await serve({ listModels: () => Promise.reject(new AppError(code, sentence)), generate: () => { throw new AppError(code, sentence); } });
    const gateway = connect(address);
    await expect(gateway.listModels(CALL)).rejects.toMatchObject({ name: 'AppError', code, message: sentence });
    await expect(collect(gateway.generate(INFERENCE_REQUEST, CALL))).rejects.toMatchObject({ name: 'AppError', code, message: sentence });
  });

  it('that nobody classified reaches the log with its cause, and the client without', async () => {
    const failures: unknown[] = [];
    const { address } = await serve({ listModels: () => Promise.reject(new TypeError('secret of /path')) }, { onFailure: ({ method, error }) => failures.push([method, error.code, String(error.cause)]) });
    await expect(connect(address).listModels(CALL)).rejects.toMatchObject({ code: 'internal', message: 'an internal error occurred' });
    expect(failures).toEqual([['ListModels', 'internal', 'TypeError: secret of /path']]);
  });

  it('of a method that the server does not have says that the versions differ', async () => {
    const { address } = await serve({});
    const failure = failureOf(collect(connectWorker(address, { tls: 'insecure-loopback' }).generate(SEQUENCE_REQUEST, NEVER)));
    expect(await failure).toMatchObject({ name: 'AppError', code: 'unimplemented', message: `${address} does not know Generate: its version is another` });
  });
});

describe('listModels', () => {
  it('names the models', async () => {
    const { address } = await serve({});
    expect(await connect(address).listModels(CALL)).toEqual([{ id: 'petit', contextLength: 2048 }]);
  });

  it('hands over the caller\'s authorization and request id, and null where there is none', async () => {
    const calls: unknown[] = [];
    const { address } = await serve({ listModels: ({ authorization, requestId }) => (calls.push([authorization, requestId]), Promise.resolve([])) });
    await connect(address).listModels({ signal: NEVER, authorization: 'Bearer t0ken', requestId: 'r-1' });
    await connect(address).listModels(CALL);
    expect(calls).toEqual([['Bearer t0ken', 'r-1'], [null, null]]);
  });
});

describe('with a certificate', () => {
  it('a client that trusts its authority needs none of its own', async () => {
    const { address } = await serve({}, { tls: cluster.gateway });
    expect(await connect(address, { caPem: cluster.gateway.caPem }).listModels(CALL)).toHaveLength(1);
  });

  it('a client that trusts another authority refuses the gateway', async () => {
    const { address } = await serve({}, { tls: cluster.gateway });
    const stranger = await createTestCluster();
    await expect(connect(address, { caPem: stranger.gateway.caPem }).listModels(CALL)).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('do not trust each other') as string });
  });
});

const ROOT = join(import.meta.dirname, '../../../..');
const BUF = join(ROOT, 'node_modules/.bin/buf');

/** A client that we did not write and that knows nothing but the address: what it calls it learns by reflection. */
async function curl(url: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(BUF, ['curl', '--protocol', 'grpc', '--http2-prior-knowledge', ...args, `http://${url}`], { cwd: ROOT });
  return stdout;
}

const callByCurl = async (address: string, method: string, request = '{}'): Promise<unknown[]> =>
  JSON.parse(`[${(await curl(`${address}/${method}`, '--reflect', '-d', request)).trim().replaceAll(/\}\s*\{/g, '},{')}]`) as unknown[];

describe('a generic client', () => {
  it('finds the service and health by reflection', async () => {
    const { address } = await serve({});
    expect((await curl(address, '--list-services')).trim().split('\n')).toEqual(expect.arrayContaining(['essaim.inference.v1.InferenceService', 'grpc.health.v1.Health']));
  });

  it('calls every method of the public API', async () => {
    const { address } = await serve({});
    expect(await callByCurl(address, 'essaim.inference.v1.InferenceService/ListModels')).toEqual([{ models: [{ id: 'petit', contextLength: 2048 }] }]);
    expect(await callByCurl(address, 'essaim.inference.v1.InferenceService/Generate', '{"model":"petit","text":"Il était"}')).toMatchObject([
      { delta: { text: ' Il était', tokenIds: [7, 8] } },
      { delta: { text: ' une fois 🐝' } },
      { done: { finishReason: 'FINISH_REASON_STOP', promptTokens: 3, completionTokens: 2 } },
    ]);
  });

  it('is told in one sentence what is wrong with its request', async () => {
    const { address } = await serve({});
    await expect(callByCurl(address, 'essaim.inference.v1.InferenceService/Generate', '{"model":"petit"}')).rejects.toMatchObject({ stderr: expect.stringContaining('a prompt is missing: give text or tokens') as string });
  });

  it.each(['', 'essaim.inference.v1.InferenceService'])('sees the health of service "%s" as it was last set', async (service) => {
    const server = await serve({});
    const health = async (): Promise<unknown> => (await callByCurl(server.address, 'grpc.health.v1.Health/Check', JSON.stringify({ service })))[0];
    expect(await health()).toEqual({ status: 'NOT_SERVING' });
    server.setHealth('serving');
    expect(await health()).toEqual({ status: 'SERVING' });
    server.setHealth('not_serving');
    expect(await health()).toEqual({ status: 'NOT_SERVING' });
  });
});
