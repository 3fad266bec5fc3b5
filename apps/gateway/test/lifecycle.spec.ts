import { Client, credentials } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { describe, expect, it } from 'vitest';
import { aborted, answerText, story, storyThenSilence } from './scripted-lead.ts';
import { startReadyGateway, startTestGateway, type TestGateway } from './test-gateway.ts';

const REQUEST = { model: 'petit', prompt: 'Il', max_tokens: 12 };

const readiness = async (gateway: TestGateway): Promise<string> => {
  const response = await fetch(`${gateway.url}/readyz`);
  const body = (await response.json()) as { status?: string; epoch?: number; error?: { message: string } };
  return response.status === 200 ? `${body.status} ${body.epoch}` : body.error!.message;
};

async function grpcHealth(gateway: TestGateway): Promise<unknown> {
  const { path, requestSerialize, responseDeserialize } = healthService['Check']!;
  const client = new Client(gateway.grpcAddress, credentials.createInsecure());
  try {
    return await new Promise((resolve, reject) => {
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { service: '' }, (error, answer) => (error ? reject(error) : resolve((answer as { status: unknown }).status)));
    });
  } finally {
    client.close();
  }
}

describe('readiness', () => {
  it('says what misses until a token came through the placement', async () => {
    await using gateway = await startTestGateway();
    expect((await fetch(`${gateway.url}/livez`)).status).toBe(200);
    expect(await readiness(gateway)).toContain('control plane');
    expect(await grpcHealth(gateway)).toBe('NOT_SERVING');
    gateway.publish({ missing: 3 });
    await expect.poll(() => readiness(gateway)).toContain('3 of 4 experts');
    expect((await gateway.post('/v1/completions', REQUEST)).status).toBe(503);
    gateway.publish({ states: ['loading'] });
    await expect.poll(() => readiness(gateway)).toContain('no worker is ready to lead');
    gateway.publish();
    await expect.poll(() => readiness(gateway)).toBe('ready 3');
    expect(await grpcHealth(gateway)).toBe('SERVING');
  });

  it('is lost with a new placement through which no token comes, and comes back with one', async () => {
    await using gateway = await startReadyGateway();
    gateway.leads[0]!.probeScript = (request, signal) => storyThenSilence(request, 0, signal);
    gateway.publish();
    await expect.poll(() => readiness(gateway), { timeout: 20_000 }).toContain('placement 2 is new');
    gateway.leads[0]!.probeScript = (request) => story(gateway.leads[0]!.id, request);
    gateway.publish();
    await expect.poll(() => readiness(gateway)).toBe('ready 3');
  });

  it('stays while experts move, and not each move costs a token', async () => {
    await using gateway = await startReadyGateway();
    const probes: string[] = [];
    gateway.leads[0]!.probeScript = (request) => {
      probes.push(request.requestId);
      return story(gateway.leads[0]!.id, request);
    };
    const seen = new Set<string>();
    for (let epoch = 2; epoch <= 6; epoch++) {
      gateway.publish();
      seen.add(await readiness(gateway));
    }
    await expect.poll(() => readiness(gateway), { timeout: 20_000 }).toBe('ready 6');
    for (const state of seen) expect(state).toMatch(/^ready/);
    expect(probes.length).toBeLessThan(5);
  });

  it('survives the control plane: what is known still holds', async () => {
    await using gateway = await startReadyGateway();
    await gateway.loseControlPlane();
    expect((await gateway.post('/v1/completions', REQUEST)).status).toBe(200);
    expect(await readiness(gateway)).toBe('ready 1');
  });
});

describe('a client that leaves', () => {
  it.each([true, false])('frees its sequences at the lead (streamed: %s)', async (stream) => {
    await using gateway = await startReadyGateway();
    const [started, freed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    gateway.leads[0]!.script = async function* (request, signal) {
      yield* storyThenSilence(request, 3, AbortSignal.abort());
      started.resolve();
      await aborted(signal);
      freed.resolve();
    };
    const leave = new AbortController();
    const answer = gateway.post('/v1/completions', { ...REQUEST, stream }, { signal: leave.signal }).then((response) => response.text());
    await started.promise;
    leave.abort();
    await expect(answer).rejects.toThrow();
    await freed.promise;
    const metrics = async (): Promise<string> => (await fetch(`${gateway.url}/metrics`)).text();
    await expect.poll(metrics).toContain('essaim_gateway_sequences_in_flight 0');
    expect(await metrics()).toContain('essaim_gateway_requests_total{route="/v1/completions",status="499"} 1');
    expect(await metrics()).toContain('essaim_gateway_generations_total{outcome="cancelled"} 1');
  });
});

describe('draining', () => {
  it('finishes what is under way, refuses what is new, and then nothing listens', async () => {
    const gateway = await startReadyGateway();
    const [started, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    gateway.leads[0]!.script = async function* (request) {
      started.resolve();
      await release.promise;
      yield* story(gateway.leads[0]!.id, request);
    };
    const answer = gateway.post('/v1/completions', REQUEST);
    await started.promise;
    const drained = gateway.drain(20_000);
    await expect.poll(() => readiness(gateway)).toContain('shutting down');
    expect(await grpcHealth(gateway)).toBe('NOT_SERVING');
    const refused = await gateway.post('/v1/completions', REQUEST);
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ error: { message: expect.stringContaining('shutting down') as string } });
    release.resolve();
    expect(await (await answer).json()).toMatchObject({ choices: [{ text: answerText(12), finish_reason: 'length' }] });
    await drained;
    await expect(fetch(`${gateway.url}/livez`)).rejects.toThrow();
    await gateway[Symbol.asyncDispose]();
  });

  it('cuts what does not end in time, with a sentence', async () => {
    const gateway = await startReadyGateway();
    const started = Promise.withResolvers<void>();
    gateway.leads[0]!.script = async function* (request, signal) {
      started.resolve();
      yield* storyThenSilence(request, 0, signal);
    };
    const answer = gateway.post('/v1/completions', REQUEST);
    await started.promise;
    await gateway.drain(1);
    const response = await answer;
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ error: { message: expect.stringContaining('shutting down') as string } });
    await gateway[Symbol.asyncDispose]();
  });
});
