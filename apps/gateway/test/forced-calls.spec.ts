import { Mistral } from '@mistralai/mistralai';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GREEDY } from '@essaim/core';
import { buildVocabulary, Matchers } from '@essaim/grammar';
import { Sampler } from '@essaim/sampling';
import { type ServedModel } from '../src/model/served-model.ts';
import { loadMistralModel } from './mistral-model.ts';
import { statsOf } from './scripted-lead.ts';
import { readEvents, startReadyGateway, type TestGateway } from './test-gateway.ts';

const tool = (name: string, parameters: object): OpenAI.ChatCompletionFunctionTool => ({ type: 'function', function: { name, parameters: { type: 'object', ...parameters } } });
const WEATHER = tool('weather', { properties: { city: { type: 'string', maxLength: 8 }, days: { type: 'integer', minimum: 1, maximum: 14 } }, required: ['city', 'days'] });
const CLOCK = tool('clock', { properties: { zone: { enum: ['Paris', 'Lyon'] } }, required: ['zone'] });
const USER = { role: 'user' as const, content: 'Paris ?' };
const ID = /^[A-Za-z0-9]{9}$/;

interface Call { readonly id: string; readonly function: { readonly name: string; readonly arguments: string } }

/** All ways in which Mistral's models write calls, of models whose weights say nothing: what they say is what they are held to. */
describe.each([['tekken.json'], ['tekken.json', 'v11'], ['tokenizer.model.v2'], ['tokenizer.model.v3']])('a model of %s (%s) that must call', (...[file, version]) => {
  let served: ServedModel;
  let gateway: TestGateway;
  let openai: OpenAI;
  beforeAll(async () => {
    served = await loadMistralModel(file, version);
    gateway = await startReadyGateway({ served });
    openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 });
    const { tokenizer, spec } = served;
    const matchers = new Matchers(buildVocabulary(Array.from({ length: tokenizer.vocabSize }, (_, id) => (tokenizer.isSpecial(id) ? new Uint8Array() : tokenizer.tokenBytes(id)))), spec.vocabSize);
    const lead = gateway.leads[0]!;
    lead.script = async function* ({ constraint, sampling, maxTokens }) {
      const matcher = matchers.open(constraint!);
      const sampler = new Sampler({ ...GREEDY, temperature: 1, seed: sampling.seed }, []);
      for (let position = 0; position < maxTokens && !matcher.isOver; position++) {
        // An answer that may end does.
        if (matcher.isComplete && position % 2 === 0) break;
        const id = sampler.sample(new Float32Array(spec.vocabSize), position, { allowed: matcher.mask() });
        matcher.accept(id);
        yield { kind: 'token', id, logprobs: null };
      }
      yield { kind: 'done', finishReason: 'stop', stats: statsOf(lead.id) };
    };
  });
  afterAll(async () => gateway[Symbol.asyncDispose]());

  const ask = (seed: number, body: Partial<OpenAI.ChatCompletionCreateParamsNonStreaming>): OpenAI.ChatCompletionCreateParamsNonStreaming => ({ model: 'petit', messages: [USER], tools: [WEATHER, CLOCK], seed, ...body });

  function check(calls: readonly Call[], names: readonly string[]): void {
    for (const { id, function: { name, arguments: text } } of calls) {
      expect(id).toMatch(ID);
      expect(names).toContain(name);
      const given = JSON.parse(text) as { city?: unknown; days?: number; zone?: unknown };
      if (name === 'clock') expect(['Paris', 'Lyon']).toContain(given.zone);
      else expect([typeof given.city, given.days! >= 1 && given.days! <= 14 && Number.isInteger(given.days)]).toEqual(['string', true]);
    }
    expect(new Set(calls.map(({ id }) => id)).size).toBe(calls.length);
  }

  it('calls, whatever it would have said, with arguments that are valid: the same streamed and not', async () => {
    const names = new Set<string>();
    let most = 0;
    for (let seed = 1; seed <= 12; seed++) {
      const [choice] = (await openai.chat.completions.create(ask(seed, { tool_choice: 'required' }))).choices;
      const calls = choice!.message.tool_calls as Call[];
      expect([choice!.finish_reason, choice!.message.content, calls.length > 0]).toEqual(['tool_calls', null, true]);
      check(calls, ['weather', 'clock']);
      for (const call of calls) names.add(call.function.name);
      most = Math.max(most, calls.length);
      const events = (await readEvents(await gateway.post('/v1/chat/completions', { ...ask(seed, { tool_choice: 'required' }), stream: true }))).slice(0, -1) as unknown as OpenAI.ChatCompletionChunk[];
      const streamed = events.flatMap(({ choices: [each] }) => each!.delta.tool_calls ?? []);
      expect(streamed.map(({ index, function: called }) => [index, called])).toEqual(calls.map(({ function: called }, index) => [index, called]));
      expect(streamed.every(({ id }) => ID.test(id!))).toBe(true);
    }
    expect([[...names].sort(), most > 1]).toEqual([['clock', 'weather'], true]);
  });

  it('calls the function that is named, once', async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const [choice] = (await openai.chat.completions.create(ask(seed, { tool_choice: { type: 'function', function: { name: 'clock' } } }))).choices;
      expect(choice!.message.tool_calls).toHaveLength(1);
      check(choice!.message.tool_calls as Call[], ['clock']);
    }
  });

  it('calls once where calls may not come side by side', async () => {
    for (let seed = 1; seed <= 5; seed++) expect((await openai.chat.completions.create(ask(seed, { tool_choice: 'required', parallel_tool_calls: false }))).choices[0]!.message.tool_calls).toHaveLength(1);
  });

  it('calls or gives the JSON that is asked for where it may do both', async () => {
    const format = { type: 'json_schema' as const, json_schema: { name: 'ok', schema: { const: { ok: true } } } };
    const seen = new Set<string>();
    for (let seed = 1; seed <= 12; seed++) {
      const { message } = (await openai.chat.completions.create(ask(seed, { response_format: format }))).choices[0]!;
      if (message.tool_calls === undefined) expect(JSON.parse(message.content!)).toEqual({ ok: true });
      seen.add(message.tool_calls === undefined ? 'JSON' : 'calls');
    }
    expect([...seen].sort()).toEqual(['JSON', 'calls']);
  });

  it("calls for Mistral's client, which says any", async () => {
    const mistral = new Mistral({ serverURL: gateway.url, apiKey: 'none' });
    const tools = [{ type: 'function' as const, function: { name: 'clock', parameters: CLOCK.function.parameters! } }];
    const [choice] = (await mistral.chat.complete({ model: 'petit', messages: [USER], tools, toolChoice: 'any', randomSeed: 1 })).choices;
    expect(choice?.message?.toolCalls?.[0]).toMatchObject({ id: expect.stringMatching(ID) as string, function: { name: 'clock' } });
  });

  it('says nothing of an answer that may call if it likes', async () => {
    gateway.leads[0]!.requests.length = 0;
    await gateway.post('/v1/chat/completions', { ...ask(1, { tool_choice: 'auto' }), max_tokens: 1 });
    expect(gateway.leads[0]!.requests.map(({ constraint }) => constraint)).toEqual([undefined]);
  });
});
