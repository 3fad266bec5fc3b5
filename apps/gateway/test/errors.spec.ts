import { connect } from 'node:net';
import { once } from 'node:events';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '@essaim/core';
import { answerText, tokenAt } from './scripted-lead.ts';
import { readEvents, startReadyGateway, type TestGateway } from './test-gateway.ts';

describe('what the HTTP API refuses', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startReadyGateway();
  });
  afterAll(async () => gateway[Symbol.asyncDispose]());

  interface Failure {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string;
  }

  async function failureOf(response: Response): Promise<Failure & { status: number }> {
    const body = (await response.json()) as { error: Failure };
    expect(Object.keys(body)).toEqual(['error']);
    expect(Object.keys(body.error).sort()).toEqual(['code', 'message', 'param', 'type']);
    expect(response.headers.get('x-request-id')).toMatch(/\S/);
    return { status: response.status, ...body.error };
  }

  const complete = async (body: object) => failureOf(await gateway.post('/v1/completions', { model: 'petit', prompt: 'Il', ...body }));

  it.each([
    ['temperature', { temperature: -1 }, 'from 0 to 2'],
    ['temperature', { temperature: '1' }, 'from 0 to 2'],
    ['top_p', { top_p: 0 }, 'above 0'],
    ['max_tokens', { max_tokens: 1.5 }, 'whole number'],
    ['n', { n: 0 }, 'from 1 to 128'],
    ['best_of', { best_of: 2 }, 'leave best_of out'],
    ['n', { prompt: ['a', 'b'], n: 128 }, '128'],
    ['stop', { stop: ['a', ''] }, '1 to 256'],
    ['stop', { stop: Array.from({ length: 17 }, () => 'a') }, 'at most 16'],
    ['logprobs', { logprobs: 21 }, 'from 0 to 20'],
    ['logit_bias', { logit_bias: { 5: 101 } }, '-100 to 100'],
    ['logit_bias', { logit_bias: { 8192: 1 } }, 'token 8192'],
    ['stop_token_ids', { stop_token_ids: [9_000] }, 'token 9000'],
    ['min_tokens', { min_tokens: 20 }, 'at most 16'],
    ['seed', { seed: 0.5 }, 'whole number'],
    ['priority', { priority: 101 }, 'from -100 to 100'],
    ['priority', { priority: 0.5 }, 'whole number'],
    ['suffix', { suffix: 'fin' }, 'not supported'],
    ['prompt', { prompt: [] }, 'empty list'],
    ['prompt', { prompt: [[1], 'a', 2] }, 'a list of token ids'],
    ['prompt', { prompt: [1, -1] }, 'a list of token ids'],
    ['prompt', { prompt: [8_192] }, 'token 8192'],
    ['stream', { stream: 'yes' }, 'true or false'],
  ])('names %s: %j', async (param, body, hint) => {
    const failure = await complete(body);
    expect(failure).toMatchObject({ status: 400, type: 'invalid_request_error', code: 'invalid_value' });
    expect(failure.message).toContain(hint);
    expect(failure.param === param || failure.message.includes(param)).toBe(true);
  });

  it('names infinity, which JSON can only write as a large number', async () => {
    expect(await failureOf(await gateway.post('/v1/completions', '{"model":"petit","prompt":"Il","temperature":1e999}'))).toMatchObject({ status: 400, param: 'temperature' });
  });

  it('says how long a context is and how much of it is asked for', async () => {
    const failure = await complete({ prompt: Array.from({ length: 2_000 }, () => 5), max_tokens: 49 });
    expect(failure).toMatchObject({ status: 400, code: 'context_length_exceeded', param: 'prompt' });
    expect(failure.message).toMatch(/2000 tokens.*49.*2048.*lower max_tokens to 48/);
  });

  it('refuses a prompt that fills the context, and a text that must before it is tokenized', async () => {
    expect(await complete({ prompt: Array.from({ length: 2_048 }, () => 5) })).toMatchObject({ code: 'context_length_exceeded' });
    expect((await complete({ prompt: 'a'.repeat(900_000) })).message).toMatch(/at least \d+ tokens/);
  });

  it('does not know other models, which the openai client understands', async () => {
    const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 });
    await expect(openai.completions.create({ model: 'grand', prompt: 'Il' })).rejects.toMatchObject({ status: 404, code: 'model_not_found', param: 'model' });
  });

  it.each([
    ['{"model": "petit", "prompt": a secret}', 'line 1, column 30'],
    ['{"model": "petit",\n "prompt": "a secret" "n": 1}', 'line 2, column 23'],
    ['{"model": "petit", "prompt": "a secret"', 'ends too early'],
  ])('says where JSON is invalid and quotes none of it: %s', async (body, where) => {
    const failure = await failureOf(await gateway.post('/v1/completions', body));
    expect(failure).toMatchObject({ status: 400, type: 'invalid_request_error' });
    expect(failure.message).toContain(where);
    expect(failure.message).not.toContain('secret');
  });

  it.each([['[]', 'must be a JSON object'], ['null', 'must be a JSON object'], ['', 'JSON']])('wants an object: %s', async (body, hint) => {
    const failure = await failureOf(await gateway.post('/v1/completions', body));
    expect(failure.status).toBe(400);
    expect(failure.message).toContain(hint);
  });

  it('answers 413 to a body of 2 MB, with and without a length, and goes on', async () => {
    const body = JSON.stringify({ model: 'petit', prompt: 'a'.repeat(2 << 20) });
    expect(await failureOf(await gateway.post('/v1/completions', body))).toMatchObject({ status: 413, code: 'request_too_large' });
    const chunked = await fetch(`${gateway.url}/v1/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: new Blob([body]).stream(), duplex: 'half' } as RequestInit);
    expect(chunked.status).toBe(413);
    expect((await gateway.post('/v1/completions', { model: 'petit', prompt: 'Il' })).status).toBe(200);
  });

  it.each([
    ['GET', '/nowhere', 404, 'unknown_url'],
    ['GET', '/v1/completions', 405, 'method_not_allowed'],
    ['DELETE', '/v1/models', 405, 'method_not_allowed'],
    ['GET', '/%ZZ', 400, 'invalid_request'],
  ])('%s %s is %i', async (method, path, status, code) => {
    expect(await failureOf(await fetch(`${gateway.url}${path}`, { method }))).toMatchObject({ status, code });
  });

  it('wants JSON to be called JSON', async () => {
    expect(await failureOf(await gateway.post('/v1/completions', 'prompt=a', { headers: { 'content-type': 'application/x-www-form-urlencoded' } }))).toMatchObject({ status: 415 });
  });

  it('answers bytes that are no HTTP', async () => {
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
    socket.end('no http\r\n\r\n');
    let answer = '';
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
    await once(socket, 'close');
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toMatch(/\r\nx-request-id: [0-9a-f-]{36}\r\n/);
    expect(JSON.parse(answer.slice(answer.indexOf('{')))).toMatchObject({ error: { code: 'invalid_request' } });
  });

  it.each([['x'.repeat(129)], ['a b'], ['a"b']])('makes a request id of its own instead of %s', async (id) => {
    const response = await fetch(`${gateway.url}/livez`, { headers: { 'x-request-id': id } });
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it.each([
    ['resource_exhausted', 429, 'rate_limit_exceeded'],
    ['unavailable', 503, 'service_unavailable'],
    ['deadline_exceeded', 504, 'timeout'],
    ['internal', 500, 'internal_error'],
  ] as const)('tells a lead\'s %s as %i before the first token', async (code, status, detail) => {
    gateway.leads[0]!.script = () => { throw new AppError(code, 'the lead says why'); };
    const response = await gateway.post('/v1/completions', { model: 'petit', prompt: 'Il', stream: status !== 500 });
    expect(await failureOf(response)).toMatchObject({ status, code: detail, message: 'the lead says why' });
    if (status === 429) expect(response.headers.get('retry-after')).toBe('1');
  });

  it('ends a stream with an error, as the openai client expects, when the lead fails in the middle', async () => {
    const lead = gateway.leads[0]!;
    lead.script = async function* () {
      yield { kind: 'token', id: tokenAt(0), logprobs: null };
      throw new AppError('unavailable', 'experts are gone');
    };
    const events = await readEvents(await gateway.post('/v1/completions', { model: 'petit', prompt: 'Il', stream: true }));
    expect(events.at(-1)).toEqual({ error: { message: 'experts are gone', type: 'server_error', param: null, code: 'service_unavailable' } });
    const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 });
    let text = '';
    const read = async (): Promise<void> => {
      for await (const chunk of await openai.completions.create({ model: 'petit', prompt: 'Il', stream: true })) text += chunk.choices[0]?.text ?? '';
    };
    await expect(read()).rejects.toMatchObject({ message: 'experts are gone', code: 'service_unavailable' });
    expect(text).toBe(answerText(1));
  });
});
