import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { model } from './model.ts';
import { answerText, STORY, tokenAt } from './scripted-lead.ts';
import { readEvents, startReadyGateway, type TestGateway } from './test-gateway.ts';

interface Whole {
  readonly choices: readonly {
    readonly index: number;
    readonly text: string;
    readonly finish_reason: string | null;
    readonly token_ids?: readonly number[];
    readonly logprobs: null | {
      readonly tokens: readonly string[];
      readonly token_logprobs: readonly (number | null)[];
      readonly top_logprobs: readonly (Readonly<Record<string, number>> | null)[];
      readonly text_offset: readonly number[];
    };
  }[];
}

describe('POST /v1/completions', () => {
  let gateway: TestGateway;
  let openai: OpenAI;
  beforeAll(async () => {
    gateway = await startReadyGateway();
    openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 });
  });
  afterAll(async () => gateway[Symbol.asyncDispose]());

  const lastRequest = () => gateway.leads[0]!.requests.at(-1)!;
  const post = (body: object): Promise<Response> => gateway.post('/v1/completions', { model: 'petit', prompt: 'Il', ...body });
  const complete = async (body: object): Promise<Whole> => (await (await post(body)).json()) as Whole;
  const stream = async (body: object): Promise<Whole[]> => (await readEvents(await post({ ...body, stream: true }))).slice(0, -1) as unknown as Whole[];
  /** The same request whole and in chunks: both must tell the same. */
  const bothWays = async (body: object): Promise<Whole[][]> => [[await complete(body)], await stream(body)];

  it('answers in the shape that OpenAI documents', async () => {
    const response = await gateway.post('/v1/completions', { model: 'petit', prompt: 'Il', max_tokens: 8 }, { headers: { 'x-request-id': 'mine-1' } });
    expect(response.headers.get('x-request-id')).toBe('mine-1');
    expect(await response.json()).toEqual({
      id: 'cmpl-mine-1', object: 'text_completion', created: expect.any(Number), model: 'petit',
      choices: [{ index: 0, text: answerText(8), logprobs: null, finish_reason: 'length' }],
      usage: { prompt_tokens: 1, completion_tokens: 8, total_tokens: 9, prompt_tokens_details: { cached_tokens: 0 }, completion_tokens_details: { accepted_prediction_tokens: 3, rejected_prediction_tokens: 1 } },
    });
  });

  it('streams to the openai client the text of the whole answer', async () => {
    const body = { model: 'petit', prompt: 'Il', max_tokens: 40 };
    const whole = await openai.completions.create(body);
    let streamed = '';
    for await (const chunk of await openai.completions.create({ ...body, stream: true })) streamed += chunk.choices[0]!.text;
    expect(whole.choices[0]!.text).toBe(answerText(40));
    expect(streamed).toBe(answerText(40));
  });

  it('streams chunks with a finish_reason that is null until the last, no usage unless asked for, and [DONE]', async () => {
    const events = await readEvents(await post({ max_tokens: 5, stream: true }));
    const chunks = events.slice(0, -1) as unknown as Whole[];
    expect(events.at(-1)).toBe('[DONE]');
    expect(chunks.map(({ choices }) => choices[0]!.finish_reason)).toEqual([...chunks.slice(1).map(() => null), 'length']);
    expect(chunks.every((chunk) => !('usage' in chunk))).toBe(true);
  });

  it('ends with one chunk of usage, without choices, where asked for', async () => {
    const events = await readEvents(await post({ prompt: [5, 6, 7], max_tokens: 5, stream: true, stream_options: { include_usage: true } }));
    expect(events.at(-2)).toMatchObject({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8, prompt_tokens_details: { cached_tokens: 2 }, completion_tokens_details: { accepted_prediction_tokens: 3, rejected_prediction_tokens: 1 } } });
    expect(events.slice(0, -2).every((event) => !('usage' in (event as object)))).toBe(true);
  });

  it('takes 16 tokens, temperature 1 and a random seed where nothing is said', async () => {
    await complete({});
    const first = lastRequest();
    await complete({});
    expect(first).toMatchObject({ maxTokens: 16, minTokens: 0, stopTokenIds: [], ignoreEos: false, logprobs: null, promptLogprobs: null, priority: 0, sampling: { temperature: 1, topP: 1, topK: 0 } });
    expect(lastRequest().sampling.seed).not.toBe(first.sampling.seed);
  });

  it('hands every parameter to the lead', async () => {
    await complete({
      temperature: 0.5, top_p: 0.9, top_k: 40, min_p: 0.1, presence_penalty: 1, frequency_penalty: -1, repetition_penalty: 1.2, logit_bias: { 7: -100 }, seed: 42,
      max_tokens: 9, min_tokens: 3, stop_token_ids: [5], ignore_eos: true, priority: -7, user: 'anyone', nobody_knows_this: 1,
    });
    expect(lastRequest()).toMatchObject({
      maxTokens: 9, minTokens: 3, stopTokenIds: [5], ignoreEos: true, priority: -7,
      sampling: { temperature: 0.5, topP: 0.9, topK: 40, minP: 0.1, presencePenalty: 1, frequencyPenalty: -1, repetitionPenalty: 1.2, logitBias: new Map([[7, -100]]), seed: 42n },
    });
  });

  it('answers several prompts n times each, in order, with seeds that follow each other', async () => {
    const before = gateway.leads[0]!.requests.length;
    const body = await complete({ prompt: ['Il', [5, 6, 7]], n: 2, seed: 10, max_tokens: 3 });
    expect(body.choices.map(({ index, text }) => [index, text])).toEqual([0, 1, 2, 3].map((index) => [index, answerText(3)]));
    expect(body).toMatchObject({ usage: { prompt_tokens: 4, completion_tokens: 12, prompt_tokens_details: { cached_tokens: 2 } } });
    const asked = gateway.leads[0]!.requests.slice(before).map(({ promptIds, sampling }) => `${promptIds.length} ${sampling.seed}`);
    expect(asked.sort()).toEqual(['1 10', '1 11', '3 10', '3 11']);
  });

  it('begins a text where the prompt is empty', async () => {
    await complete({ prompt: '' });
    expect(lastRequest().promptIds).toEqual([model.bosTokenId]);
  });

  it('shortens the default number of tokens to what the context has room for', async () => {
    await complete({ prompt: Array.from({ length: 2_040 }, () => 5) });
    expect(lastRequest().maxTokens).toBe(8);
  });

  it('ends before a stop string and stops the lead', async () => {
    for (const parts of await bothWays({ max_tokens: 500, stop: [' fois un', 'nowhere'] })) {
      expect(parts.map(({ choices }) => choices[0]!.text).join('')).toBe(STORY.slice(0, STORY.indexOf(' fois un')));
      expect(parts.at(-1)!.choices[0]!.finish_reason).toBe('stop');
    }
  });

  it('reports log probabilities in lists that belong to the text', async () => {
    const { text, logprobs } = (await complete({ max_tokens: 20, logprobs: 2 })).choices[0]!;
    const { tokens, token_logprobs, top_logprobs, text_offset } = logprobs!;
    expect(token_logprobs).toEqual(Array.from({ length: 20 }, () => -0.5));
    expect(top_logprobs.map((top) => Object.keys(top!).length)).toEqual(Array.from({ length: 20 }, () => 2));
    expect(text_offset[0]).toBe(0);
    const whole = tokens.map((token, index) => ({ token, offset: text_offset[index]! })).filter(({ token }) => !token.startsWith('bytes:'));
    expect(whole.length).toBeLessThan(20);
    for (const { token, offset } of whole) expect([...text].slice(offset).join('').startsWith(token)).toBe(true);
  });

  it('echoes the prompt with its log probabilities', async () => {
    const prompt = 'Le roi était là';
    const promptIds = model.tokenizer.encode(prompt, { addSpecialTokens: true });
    for (const parts of await bothWays({ prompt, max_tokens: 2, echo: true, logprobs: 1 })) {
      const choices = parts.map(({ choices: [choice] }) => choice!);
      expect(choices.map(({ text }) => text).join('')).toBe(prompt + answerText(2));
      expect(choices.flatMap(({ logprobs }) => logprobs?.token_logprobs ?? [])).toEqual([null, ...promptIds.slice(1).map(() => -0.5), -0.5, -0.5]);
      expect(choices.flatMap(({ logprobs }) => logprobs?.text_offset ?? [])[promptIds.length]).toBe(prompt.length);
    }
  });

  it('scores a prompt that may fill the context without generating anything', async () => {
    const prompt = 'Le roi était là';
    const promptIds = model.tokenizer.encode(prompt, { addSpecialTokens: true });
    for (const parts of await bothWays({ prompt, max_tokens: 0, echo: true, logprobs: 1 })) {
      const choices = parts.map(({ choices: [choice] }) => choice!);
      expect(choices.map(({ text }) => text).join('')).toBe(prompt);
      expect(choices.flatMap(({ logprobs }) => logprobs?.token_logprobs ?? [])).toEqual([null, ...promptIds.slice(1).map(() => -0.5)]);
      expect(choices.at(-1)!.finish_reason).toBe('length');
    }
    const full = Array.from({ length: 2_048 }, () => 5);
    expect(await complete({ prompt: full, max_tokens: 0, echo: true })).toMatchObject({ usage: { prompt_tokens: 2_048, completion_tokens: 0, total_tokens: 2_048 } });
    expect(await (await post({ max_tokens: 0 })).json()).toMatchObject({ error: { message: expect.stringContaining('set echo'), param: 'max_tokens', code: 'invalid_value' } });
  });

  it('counts characters, not bytes, before each token of an echoed prompt', async () => {
    const prompt = 'Ah 🙂 漢字!';
    const ids = model.tokenizer.encode(prompt, { addSpecialTokens: true });
    const { tokens, text_offset } = (await complete({ prompt, max_tokens: 0, echo: true, logprobs: 0 })).choices[0]!.logprobs!;
    expect(tokens).toHaveLength(ids.length);
    expect(tokens.filter((token) => token.startsWith('bytes:'))).not.toEqual([]);
    tokens.forEach((token, index) => {
      if (!token.startsWith('bytes:')) expect([...prompt].slice(text_offset[index]).join('').startsWith(token)).toBe(true);
    });
  });

  it('echoes a prompt of token ids as text', async () => {
    const prompt = model.tokenizer.encode('Le roi', { addSpecialTokens: false });
    expect(await complete({ prompt, echo: true, max_tokens: 1 })).toMatchObject({ choices: [{ text: `Le roi${answerText(1)}`, logprobs: null }] });
  });

  it('adds token ids where asked for, streamed one by one', async () => {
    const ids = Array.from({ length: 6 }, (_, position) => tokenAt(position));
    for (const parts of await bothWays({ max_tokens: 6, return_token_ids: true })) expect(parts.flatMap(({ choices }) => choices[0]!.token_ids)).toEqual(ids);
  });

  it('tells the models, one and all', async () => {
    expect((await openai.models.list()).data).toMatchObject([{ id: 'petit', object: 'model', max_model_len: 2048 }]);
    expect(await openai.models.retrieve('petit')).toMatchObject({ id: 'petit', created: expect.any(Number) as number });
    await expect(openai.models.retrieve('grand')).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
  });

  it('counts in /metrics and tells no prompt there', async () => {
    await complete({ prompt: 'un secret', max_tokens: 2 });
    const text = await (await fetch(`${gateway.url}/metrics`)).text();
    expect(text).toMatch(/essaim_gateway_requests_total\{route="\/v1\/completions",status="200"\} \d+/);
    expect(text).toMatch(/essaim_gateway_completion_tokens_total \d{2,}/);
    expect(text).toMatch(/essaim_gateway_time_to_first_token_seconds_count \d+/);
    expect(text).toContain('essaim_gateway_sequences_in_flight 0');
    expect(text).not.toContain('secret');
  });
});
