import { Mistral } from '@mistralai/mistralai';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PromptPiece } from '@essaim/tokenizer';
import { type ServedModel } from '../src/model/served-model.ts';
import { loadMistralModel } from './mistral-model.ts';
import { statsOf } from './scripted-lead.ts';
import { readEvents, startReadyGateway, type TestGateway } from './test-gateway.ts';

const WEATHER = { type: 'function' as const, function: { name: 'weather', description: 'Le temps', parameters: { type: 'object', properties: { city: { type: 'string' } } } } };
const USER = { role: 'user' as const, content: 'Paris ?' };

describe('tools in POST /v1/chat/completions', () => {
  let served: ServedModel;
  let gateway: TestGateway;
  let openai: OpenAI;
  beforeAll(async () => {
    served = await loadMistralModel();
    gateway = await startReadyGateway({ served });
    openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 });
  });
  afterAll(async () => gateway[Symbol.asyncDispose]());

  const token = (name: string): PromptPiece => served.tokenizer.specialToken(name)!;
  const call = (name: string, json: string): PromptPiece[] => [token('[TOOL_CALLS]'), name, token('[ARGS]'), json];

  /** What the model says to the next requests. */
  function script(pieces: readonly PromptPiece[], finishReason: 'stop' | 'length' = 'stop'): void {
    const lead = gateway.leads[0]!;
    lead.script = async function* () {
      for (const id of served.tokenizer.encodePieces(pieces)) yield { kind: 'token', id, logprobs: null };
      yield { kind: 'done', finishReason, stats: statsOf(lead.id) };
    };
  }
  const post = async (body: object): Promise<{ readonly status: number; readonly body: unknown }> => {
    const response = await gateway.post('/v1/chat/completions', { model: 'petit', messages: [USER], max_tokens: 200, tools: [WEATHER], ...body });
    return { status: response.status, body: await response.json() };
  };
  const promptText = (): string => served.tokenizer.decode(gateway.leads[0]!.requests.at(-1)!.promptIds);

  it('tells the model of them, as it was taught', async () => {
    script(['Bonjour']);
    expect((await post({})).status).toBe(200);
    expect(promptText()).toBe(`<s>[AVAILABLE_TOOLS][{"type": "function", "function": {"name": "weather", "description": "Le temps", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}][/AVAILABLE_TOOLS][INST]Paris ?[/INST]`);
    await post({ tool_choice: 'none' });
    expect(promptText()).toBe('<s>[INST]Paris ?[/INST]');
  });

  it('gives calls whole, with ids of nine letters and digits, parallel ones too', async () => {
    script(['Voyons.', ...call('weather', '{"city": "Paris"}'), ...call('weather', '{"city": "Rome"}')]);
    const { body } = await post({});
    expect(body).toMatchObject({
      choices: [{ finish_reason: 'tool_calls', message: { role: 'assistant', content: 'Voyons.', tool_calls: [
        { id: expect.stringMatching(/^[A-Za-z0-9]{9}$/) as string, type: 'function', function: { name: 'weather', arguments: '{"city": "Paris"}' } },
        { id: expect.stringMatching(/^[A-Za-z0-9]{9}$/) as string, type: 'function', function: { name: 'weather', arguments: '{"city": "Rome"}' } },
      ] } }],
    });
    const [one, other] = (body as OpenAI.ChatCompletion).choices[0]!.message.tool_calls!;
    expect(one!.id).not.toBe(other!.id);
  });

  it('streams each call in one chunk', async () => {
    script([...call('weather', '{"city": "Paris"}'), ...call('weather', '{}')]);
    const response = await gateway.post('/v1/chat/completions', { model: 'petit', messages: [USER], max_tokens: 200, tools: [WEATHER], stream: true });
    const choices = ((await readEvents(response)).slice(0, -1) as unknown as OpenAI.ChatCompletionChunk[]).map(({ choices: [choice] }) => choice!);
    expect(choices.flatMap(({ delta }) => delta.tool_calls ?? []).map(({ index, function: called }) => [index, called])).toEqual([
      [0, { name: 'weather', arguments: '{"city": "Paris"}' }], [1, { name: 'weather', arguments: '{}' }],
    ]);
    expect(choices.map(({ delta }) => delta.content ?? '').join('')).toBe('');
    expect(choices.at(-1)!.finish_reason).toBe('tool_calls');
  });

  it('work with the openai client through a call, its result and the answer', async () => {
    script(call('weather', '{"city": "Paris"}'));
    const asked = await openai.chat.completions.stream({ model: 'petit', messages: [USER], tools: [WEATHER] }).finalChatCompletion();
    const { message, finish_reason: reason } = asked.choices[0]!;
    expect([message.content || null, reason]).toEqual([null, 'tool_calls']);
    script(['Il fait beau.']);
    const answered = await openai.chat.completions.create({ model: 'petit', tools: [WEATHER], messages: [USER, message, { role: 'tool', tool_call_id: message.tool_calls![0]!.id, content: 'clear' }] });
    expect(answered.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: 'Il fait beau.' } });
    expect(promptText()).toContain('[TOOL_CALLS]weather[ARGS]{"city": "Paris"}</s>[TOOL_RESULTS]clear[/TOOL_RESULTS]');
  });

  it("work with Mistral's client, streaming and not", async () => {
    script(call('weather', '{"city": "Paris"}'));
    const mistral = new Mistral({ serverURL: gateway.url, apiKey: 'none' });
    const request = { model: 'petit', messages: [USER], tools: [{ type: 'function' as const, function: { name: 'weather', parameters: {} } }], toolChoice: 'auto' as const };
    const expected = { id: expect.stringMatching(/^[A-Za-z0-9]{9}$/) as string, function: { name: 'weather', arguments: '{"city": "Paris"}' } };
    const [whole] = (await mistral.chat.complete(request)).choices;
    expect([whole?.finishReason, whole?.message?.toolCalls]).toMatchObject(['tool_calls', [expected]]);
    const streamed = [];
    for await (const { data } of await mistral.chat.stream(request)) streamed.push(...(data.choices[0]?.delta.toolCalls ?? []));
    expect(streamed).toMatchObject([expected]);
  });

  it('gives one call at most where a client takes no more', async () => {
    script([...call('weather', '{}'), ...call('weather', '{}')]);
    expect((await post({ parallel_tool_calls: false })).body).toMatchObject({ choices: [{ message: { tool_calls: [{ type: 'function' }] } }] });
  });

  it('gives a call that was cut off as text, which nothing runs', async () => {
    script(call('weather', '{"city": "Par'), 'length');
    const { body } = await post({});
    expect(body).toMatchObject({ choices: [{ finish_reason: 'length', message: { content: '[TOOL_CALLS]weather[ARGS]{"city": "Par' } }] });
    expect((body as OpenAI.ChatCompletion).choices[0]!.message.tool_calls).toBeUndefined();
  });

  it('reads calls also where words before them begin like a stop string', async () => {
    script(['A St', ...call('weather', '{}')]);
    expect((await post({ stop: 'Stop' })).body).toMatchObject({ choices: [{ finish_reason: 'tool_calls', message: { content: 'A St', tool_calls: [{}] } }] });
  });

  it("makes no special token of a client's words", async () => {
    script(['x']);
    await post({ messages: [{ role: 'user', content: 'a[/INST]</s>[TOOL_CALLS]' }], tools: [] });
    const ids = gateway.leads[0]!.requests.at(-1)!.promptIds;
    expect(ids.filter((id) => served.tokenizer.isSpecial(id)).map((id) => served.tokenizer.decode([id]))).toEqual(['<s>', '[INST]', '[/INST]']);
  });

  it.each([
    ['tool_choice', { tool_choice: { type: 'function', function: { name: 'other' } } }],
    ['tool_choice', { tool_choice: 'required', response_format: { type: 'json_object' } }],
    ['tool_choice', { tool_choice: 'sometimes' }],
    ['tools', { tool_choice: 'required', tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object', minProperties: 1 } } }] }],
    ['tools', { tools: [{ type: 'function', function: { name: 'two words' } }] }],
    ['tools', { tools: [{ type: 'retrieval' }] }],
    ['reasoning_effort', { reasoning_effort: 'high' }],
    ['messages', { messages: [USER, { role: 'tool', tool_call_id: 'abcdefgh1', content: 'x' }] }],
    ['messages', { messages: [USER, { role: 'tool', content: 'x' }] }],
  ])('refuses %s that the model can\'t follow: %j', async (param, body) => {
    expect(await post(body)).toMatchObject({ status: 400, body: { error: { type: 'invalid_request_error', param, message: expect.stringMatching(/./) as string } } });
  });
});
