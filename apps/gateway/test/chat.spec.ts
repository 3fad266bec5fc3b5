import { Mistral } from '@mistralai/mistralai';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { model } from './model.ts';
import { answerText } from './scripted-lead.ts';
import { readEvents, startReadyGateway, type TestGateway } from './test-gateway.ts';

const USER = { role: 'user' as const, content: 'Il était' };

describe('POST /v1/chat/completions', () => {
  let gateway: TestGateway;
  let openai: OpenAI;
  beforeAll(async () => {
    gateway = await startReadyGateway();
    openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 });
  });
  afterAll(async () => gateway[Symbol.asyncDispose]());

  const lastRequest = () => gateway.leads[0]!.requests.at(-1)!;
  const post = (body: object): Promise<Response> => gateway.post('/v1/chat/completions', { model: 'petit', messages: [USER], max_tokens: 6, ...body });
  const promptText = (): string => model.tokenizer.decode(lastRequest().promptIds);

  it('answers in the shape that OpenAI documents', async () => {
    const body = await (await post({})).json();
    const promptTokens = lastRequest().promptIds.length;
    expect(body).toEqual({
      id: expect.stringMatching(/^chatcmpl-/) as string, object: 'chat.completion', created: expect.any(Number) as number, model: 'petit',
      choices: [{ index: 0, message: { role: 'assistant', content: answerText(6), refusal: null }, logprobs: null, finish_reason: 'length' }],
      usage: { prompt_tokens: promptTokens, completion_tokens: 6, total_tokens: promptTokens + 6, prompt_tokens_details: { cached_tokens: promptTokens - 1 }, completion_tokens_details: { accepted_prediction_tokens: 3, rejected_prediction_tokens: 1 } },
    });
  });

  it('streams the role first, then content, then the reason', async () => {
    const events = await readEvents(await post({ stream: true }));
    const choices = (events.slice(0, -1) as { choices: { delta: { role?: string; content?: string }; finish_reason: string | null }[] }[]).map(({ choices: [choice] }) => choice!);
    expect(choices[0]).toEqual({ index: 0, delta: { role: 'assistant', content: '' }, logprobs: null, finish_reason: null });
    expect(choices.map(({ delta }) => delta.content ?? '').join('')).toBe(answerText(6));
    expect(choices.at(-1)).toEqual({ index: 0, delta: {}, logprobs: null, finish_reason: 'length' });
    expect(events.at(-1)).toBe('[DONE]');
  });

  it('works with the openai client, whose helper puts a stream together again', async () => {
    const final = await openai.chat.completions.stream({ model: 'petit', messages: [USER], max_tokens: 30, n: 2, stream_options: { include_usage: true } }).finalChatCompletion();
    expect(final.choices.map(({ message }) => message.content)).toEqual([answerText(30), answerText(30)]);
    expect(final.usage?.completion_tokens).toBe(60);
  });

  it("works with Mistral's client, whose random_seed is the seed", async () => {
    const mistral = new Mistral({ serverURL: gateway.url, apiKey: 'none' });
    const request = { model: 'petit', messages: [USER], maxTokens: 30, randomSeed: 7, safePrompt: false };
    const whole = await mistral.chat.complete(request);
    expect(whole.choices[0]?.message?.content).toBe(answerText(30));
    expect(lastRequest().sampling.seed).toBe(7n);
    let streamed = '';
    for await (const { data } of await mistral.chat.stream(request)) streamed += String(data.choices[0]?.delta.content ?? '');
    expect(streamed).toBe(answerText(30));
  });

  it('makes one text of a conversation for a base model', async () => {
    await post({ messages: [{ role: 'system', content: 'Un' }, { role: 'user', content: [{ type: 'text', text: 'Deux ' }, { type: 'text', text: 'trois' }] }] });
    expect(promptText()).toBe('Un\n\nDeux trois');
  });

  it('takes the rest of the context where no number of tokens is said, and max_completion_tokens before max_tokens', async () => {
    await post({ max_tokens: null });
    expect(lastRequest().maxTokens).toBe(2_048 - lastRequest().promptIds.length);
    await post({ max_completion_tokens: 3 });
    expect(lastRequest().maxTokens).toBe(3);
  });

  it('reports log probabilities with the bytes of each token', async () => {
    const { choices } = (await (await post({ logprobs: true, top_logprobs: 2 })).json()) as { choices: { logprobs: { content: { token: string; logprob: number; bytes: number[]; top_logprobs: object[] }[] } }[] };
    const { content } = choices[0]!.logprobs;
    expect(content.map(({ top_logprobs }) => top_logprobs.length)).toEqual([2, 2, 2, 2, 2, 2]);
    expect(Buffer.concat(content.map(({ bytes }) => Buffer.from(bytes))).toString()).toBe(answerText(6));
    expect(content[0]).toMatchObject({ logprob: -0.5, top_logprobs: [{ logprob: -0.5 }, { logprob: -1.5 }] });
  });

  it.each([
    ['tools', { tools: [{ type: 'function', function: { name: 'f' } }] }],
    ['tool_choice', { tool_choice: 'required' }],
    ['response_format', { response_format: { type: 'xml' } }],
    ['safe_prompt', { safe_prompt: true }],
    ['messages', { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'http://x' } }] }] }],
    ['messages', { messages: [{ role: 'robot', content: 'x' }] }],
    ['messages', { messages: [] }],
    ['top_logprobs', { logprobs: true, top_logprobs: 21 }],
  ])('refuses %s that would change the answer: %j', async (param, body) => {
    const response = await post(body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { type: 'invalid_request_error', param, message: expect.stringContaining(param) as string, code: 'invalid_value' } });
  });

  it.each([{ tools: [], tool_choice: 'auto' }, { response_format: { type: 'text' } }, { parallel_tool_calls: true, store: false, metadata: { a: 'b' } }])('ignores what changes nothing: %j', async (body) => {
    expect((await post(body)).status).toBe(200);
  });
});
