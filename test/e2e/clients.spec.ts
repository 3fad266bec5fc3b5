import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Mistral } from '@mistralai/mistralai';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUF, eventually, processesOf, runToEnd, startCluster, workersOf, type RunningCluster } from './harness.ts';

const PROMPT = 'Il était une fois';

describe('clients nobody here wrote, against a running cluster', () => {
  let cluster: RunningCluster;
  let openai: OpenAI;
  beforeAll(async () => {
    cluster = await startCluster();
    openai = new OpenAI({ baseURL: `${cluster.ready.addresses.http}/v1`, apiKey: 'none', maxRetries: 0 });
  });
  afterAll(async () => cluster[Symbol.asyncDispose]());

  it('spreads every expert over the three workers', () => {
    expect(cluster.ready.workers.map(({ id }) => id)).toEqual(['w1', 'w2', 'w3']);
    expect(cluster.ready.workers.map(({ experts }) => experts)).toEqual([16, 16, 16]);
  });

  it('openai lists the model and completes a prompt, the same streamed and not', async () => {
    const models = await openai.models.list();
    expect(models.data.map(({ id }) => id)).toEqual(['petit']);
    const body = { model: 'petit', prompt: PROMPT, max_tokens: 24, temperature: 0 };
    const whole = await openai.completions.create(body);
    let streamed = '';
    for await (const chunk of await openai.completions.create({ ...body, stream: true })) streamed += chunk.choices[0]?.text ?? '';
    expect(whole.choices[0]?.text.length).toBeGreaterThan(10);
    expect(streamed).toBe(whole.choices[0]?.text);
    expect(whole.usage?.completion_tokens).toBe(24);
  });

  it('openai chats, the usage in the last chunk', async () => {
    const stream = await openai.chat.completions.create({ model: 'petit', messages: [{ role: 'user', content: PROMPT }], max_tokens: 8, stream: true, stream_options: { include_usage: true } });
    let text = '';
    let tokens = 0;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      tokens = chunk.usage?.completion_tokens ?? tokens;
    }
    expect(text).not.toBe('');
    expect(tokens).toBeGreaterThan(0);
  });

  it('openai gets an error it understands for an unknown model', async () => {
    await expect(openai.completions.create({ model: 'grand', prompt: PROMPT })).rejects.toMatchObject({ status: 404, code: expect.any(String) });
  });

  it("Mistral's own client chats, streamed and not", async () => {
    const mistral = new Mistral({ serverURL: cluster.ready.addresses.http, apiKey: 'none' });
    const request = { model: 'petit', messages: [{ role: 'user' as const, content: PROMPT }], maxTokens: 8, temperature: 0 };
    const whole = await mistral.chat.complete(request);
    let streamed = '';
    for await (const { data } of await mistral.chat.stream(request)) streamed += String(data.choices[0]?.delta.content ?? '');
    expect(streamed).toBe(whole.choices[0]?.message?.content);
    expect(streamed).not.toBe('');
  });

  it('plain curl completes a prompt and learns the request id', async () => {
    const body = JSON.stringify({ model: 'petit', prompt: PROMPT, max_tokens: 4 });
    const { code, stdout } = await runToEnd('curl', ['-sS', '-i', `${cluster.ready.addresses.http}/v1/completions`, '-H', 'content-type: application/json', '-d', body]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^HTTP\/1\.1 200/);
    expect(stdout).toMatch(/x-request-id: \S+/i);
  });

  it('scores a text as it would have generated it, without generating anything', async () => {
    const asked = { model: 'petit', prompt: PROMPT, temperature: 0, max_tokens: 12, logprobs: 2 };
    const { text, logprobs: generated } = (await openai.completions.create(asked)).choices[0]!;
    const scored = await openai.completions.create({ ...asked, prompt: PROMPT + text, echo: true, max_tokens: 0 });
    const { tokens, token_logprobs } = scored.choices[0]!.logprobs!;
    expect(scored.choices[0]!.text).toBe(PROMPT + text);
    expect(scored.usage?.completion_tokens).toBe(0);
    expect(token_logprobs![0]).toBeNull();
    // A greedy text need not be cut into the tokens that made it, but this one is.
    expect(tokens!.slice(-12)).toEqual(generated!.tokens);
    token_logprobs!.slice(-12).forEach((logprob, index) => expect(logprob).toBeCloseTo(generated!.token_logprobs![index]!, 4));
  });

  it('serves 64 streams at once, each as if it were alone', async () => {
    const asked = { model: 'petit', prompt: PROMPT, temperature: 0, max_tokens: 24 };
    const alone = (await openai.completions.create(asked)).choices[0]!.text;
    const texts = await Promise.all(Array.from({ length: 64 }, async () => {
      let text = '';
      for await (const chunk of await openai.completions.create({ ...asked, stream: true })) text += chunk.choices[0]!.text;
      return text;
    }));
    expect(texts).toEqual(Array.from({ length: 64 }, () => alone));
  });

  it('frees the memory of answers whose clients left, streamed or not', async () => {
    const memory = async (): Promise<number> => (await workersOf(cluster)).reduce((sum, { kvUsedBytes }) => sum + kvUsedBytes, 0);
    const left = async (): Promise<number> => Number(/essaim_gateway_generations_total\{outcome="cancelled"\} (\d+)/.exec(await (await fetch(`${cluster.ready.addresses.http}/metrics`)).text())?.[1] ?? 0);
    const leftBefore = await left();
    const leave = new AbortController();
    const long = { model: 'petit', prompt: PROMPT, max_tokens: 1_900, ignore_eos: true };
    const answers = [true, false].map(async (stream) => fetch(`${cluster.ready.addresses.http}/v1/completions`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ...long, stream }), signal: leave.signal,
    }).then((response) => response.text()));
    await eventually('both answers are under way', async () => (await workersOf(cluster)).reduce((sum, { runningSequences }) => sum + runningSequences, 0) === 2);
    expect(await memory()).toBeGreaterThan(0);
    leave.abort();
    expect((await Promise.allSettled(answers)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await eventually('their memory is free', async () => (await memory()) === 0);
    expect(await left()).toBe(leftBefore + 2);
    expect(readFileSync(join(cluster.stateDir, 'logs', 'worker-w1.log'), 'utf8')).not.toContain('the caller is gone');
  });

  it('refuses a body of 2 MB with 413 and goes on', async () => {
    const url = `${cluster.ready.addresses.http}/v1/completions`;
    const input = JSON.stringify({ model: 'petit', prompt: 'a'.repeat(2 << 20) });
    const { stdout } = await runToEnd('curl', ['-sS', '-o', '/dev/null', '-w', '%{http_code}', url, '-H', 'content-type: application/json', '--data-binary', '@-'], { input });
    expect(stdout).toBe('413');
    expect((await openai.completions.create({ model: 'petit', prompt: PROMPT, max_tokens: 1 })).choices).toHaveLength(1);
  });

  describe('a generic gRPC client that knows only the address', () => {
    const call = async (method: string, body: unknown) => {
      const url = `http://${cluster.ready.addresses.grpc}/${method}`;
      const { code, stdout, stderr } = await runToEnd(BUF, ['curl', '--protocol', 'grpc', '--http2-prior-knowledge', url, '-d', JSON.stringify(body)]);
      expect(stderr).toBe('');
      expect(code).toBe(0);
      // One JSON object per message, pretty-printed one after the other.
      return stdout.trim().split(/(?<=^\})\n/m).map((text) => JSON.parse(text) as Record<string, unknown>);
    };

    it('finds the services by reflection', async () => {
      const { stdout } = await runToEnd(BUF, ['curl', '--protocol', 'grpc', '--http2-prior-knowledge', '--list-services', `http://${cluster.ready.addresses.grpc}`]);
      expect(stdout.trim().split('\n')).toEqual(expect.arrayContaining(['essaim.inference.v1.InferenceService', 'grpc.health.v1.Health']));
    });

    it('lists the models', async () => {
      expect(await call('essaim.inference.v1.InferenceService/ListModels', {})).toMatchObject([{ models: [{ id: 'petit' }] }]);
    });

    it('generates the text that HTTP generates', async () => {
      const expected = await openai.completions.create({ model: 'petit', prompt: PROMPT, max_tokens: 12, temperature: 0 });
      const messages = await call('essaim.inference.v1.InferenceService/Generate', { model: 'petit', text: PROMPT, maxTokens: 12, sampling: { temperature: 0 } });
      const text = messages.map((message) => (message['delta'] as { text?: string } | undefined)?.text ?? '').join('');
      expect(text).toBe(expected.choices[0]?.text);
    });

    it('sees that it is healthy', async () => {
      expect(await call('grpc.health.v1.Health/Check', {})).toEqual([{ status: 'SERVING' }]);
    });
  });

  it('ends an answer under way and every process at SIGTERM', async () => {
    const pids = cluster.ready.processes.map(({ pid }) => pid);
    expect(processesOf(cluster.stateDir)).toEqual(expect.arrayContaining(pids));
    const stream = await openai.completions.create({ model: 'petit', prompt: PROMPT, max_tokens: 200, stream: true });
    const chunks = stream[Symbol.asyncIterator]();
    await chunks.next();
    const stopped = cluster.stop();
    let finish: string | null = null;
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) finish = next.value.choices[0]?.finish_reason ?? finish;
    expect(finish).toMatch(/^(length|stop)$/);
    expect(await stopped).toMatchObject({ code: 0 });
    expect(processesOf(cluster.stateDir)).toEqual([]);
  });
});
