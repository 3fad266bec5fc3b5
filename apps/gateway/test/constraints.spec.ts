import { Mistral } from '@mistralai/mistralai';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Constraint } from '@essaim/core';
import { connectInference, type InferenceApi, type InferenceConstraint } from '@essaim/rpc';
import { startReadyGateway, type TestGateway } from './test-gateway.ts';

const SCHEMA = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'], additionalProperties: false };
const USER = { role: 'user' as const, content: 'Qui ?' };

describe('what an answer must be', () => {
  let gateway: TestGateway;
  let grpc: InferenceApi & { close(): void };
  beforeAll(async () => {
    gateway = await startReadyGateway();
    grpc = connectInference(gateway.grpcAddress);
  });
  afterAll(async () => {
    grpc.close();
    await gateway[Symbol.asyncDispose]();
  });

  const reached = (): Constraint | undefined => gateway.leads[0]!.requests.at(-1)!.constraint;
  const post = async (path: 'completions' | 'chat/completions', body: object): Promise<{ status: number; body: unknown }> => {
    const response = await gateway.post(`/v1/${path}`, { model: 'petit', max_tokens: 2, ...(path === 'completions' ? { prompt: 'Il' } : { messages: [USER] }), ...body });
    return { status: response.status, body: await response.json() };
  };

  describe.each(['completions', 'chat/completions'] as const)('is told to the lead of a request to /v1/%s', (path) => {
    it.each<[object, Constraint | undefined]>([
      [{}, undefined],
      [{ response_format: { type: 'text' } }, undefined],
      [{ response_format: null, guided_regex: null }, undefined],
      [{ response_format: { type: 'json_object' } }, { kind: 'json object' }],
      [{ response_format: { type: 'json_schema', json_schema: { name: 'person', strict: true, schema: SCHEMA } } }, { kind: 'json schema', schema: JSON.stringify(SCHEMA) }],
      [{ guided_json: SCHEMA }, { kind: 'json schema', schema: JSON.stringify(SCHEMA) }],
      [{ guided_json: '{"const":1}' }, { kind: 'json schema', schema: '{"const":1}' }],
      [{ guided_regex: '[a-zé]+' }, { kind: 'regex', pattern: '[a-zé]+' }],
      [{ guided_choice: ['oui', 'non'] }, { kind: 'choice', options: [{ kind: 'text', text: 'oui' }, { kind: 'text', text: 'non' }] }],
      [{ structured_outputs: { regex: '[a-z]+' } }, { kind: 'regex', pattern: '[a-z]+' }],
      [{ structured_outputs: { json: SCHEMA, json_object: false } }, { kind: 'json schema', schema: JSON.stringify(SCHEMA) }],
      [{ structured_outputs: {} }, undefined],
      [{ guided_grammar: 'root ::= "a" | "b"' }, { kind: 'grammar', ebnf: 'root ::= "a" | "b"' }],
    ])('%j', async (body, constraint) => {
      expect((await post(path, body)).status).toBe(200);
      expect(reached()).toEqual(constraint);
    });

    it.each<[string, object, string]>([
      ['response_format', { response_format: { type: 'xml' } }, 'response_format'],
      ['response_format', { response_format: { type: 'json_schema' } }, 'json_schema'],
      ['response_format', { response_format: { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object', patternProperties: {} } } } }, 'patternProperties at #'],
      ['guided_json', { guided_json: { type: 'integer', multipleOf: 2 } }, 'multipleOf'],
      ['guided_json', { guided_json: '{' }, 'not valid JSON'],
      ['guided_regex', { guided_regex: '(?=a)' }, 'looks ahead'],
      ['guided_regex', { guided_regex: '' }, 'guided_regex'],
      ['guided_regex', { guided_regex: 'a'.repeat(70_000) }, 'characters together'],
      ['guided_choice', { guided_choice: [] }, 'guided_choice'],
      ['guided_grammar', { guided_grammar: 'root ::= other' }, 'other'],
      ['structured_outputs', { structured_outputs: { structural_tag: '{}' } }, 'structured_outputs'],
      ['structured_outputs.choice', { structured_outputs: { regex: 'a', choice: ['b'] } }, 'leave one out'],
      ['structured_outputs.regex', { structured_outputs: { regex: '(' } }, 'parenthesis'],
      ['guided_regex', { guided_regex: 'a', response_format: { type: 'json_object' } }, 'leave one out'],
    ])('or refused: %s', async (param, body, reason) => {
      expect(await post(path, body)).toMatchObject({ status: 400, body: { error: { type: 'invalid_request_error', param, message: expect.stringContaining(reason) as string } } });
    });
  });

  it.each<InferenceConstraint>([{ kind: 'json object' }, { kind: 'json schema', schema: '{"const":1}' }, { kind: 'regex', pattern: 'é+' }, { kind: 'grammar', ebnf: 'root ::= "a"' }])('is told over gRPC: %j', async (constraint) => {
    const request = { model: 'petit', prompt: { kind: 'text' as const, text: 'Il' }, sampling: {}, maxTokens: 2, minTokens: 0, stop: [], stopTokenIds: [], ignoreEos: false, logprobs: null, constraint };
    for await (const _event of grpc.generate(request, { signal: new AbortController().signal, authorization: null, requestId: null }));
    expect(reached()).toEqual(constraint);
    const wrong = grpc.generate({ ...request, constraint: { kind: 'regex', pattern: '(' } }, { signal: new AbortController().signal, authorization: null, requestId: null });
    await expect((async () => { for await (const _event of wrong); })()).rejects.toMatchObject({ code: 'invalid_argument', message: expect.stringContaining('parenthesis') as string });
  });

  it("is told by OpenAI's and Mistral's clients", async () => {
    const format = { type: 'json_schema' as const, json_schema: { name: 'person', strict: true, schema: SCHEMA } };
    await new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none' }).chat.completions.create({ model: 'petit', messages: [USER], max_tokens: 2, response_format: format });
    expect(reached()).toEqual({ kind: 'json schema', schema: JSON.stringify(SCHEMA) });
    await new Mistral({ serverURL: gateway.url, apiKey: 'none' }).chat.complete({ model: 'petit', messages: [USER], maxTokens: 2, responseFormat: { type: 'json_schema', jsonSchema: { name: 'person', schemaDefinition: SCHEMA } } });
    expect(reached()).toEqual({ kind: 'json schema', schema: JSON.stringify(SCHEMA) });
  });

  it.each([['image_url', 'an image'], ['input_audio', 'a sound'], ['file', 'a file']])('is no answer to a message with a part of the type %s, which is refused by name', async (type, what) => {
    const messages = [USER, { role: 'user', content: [{ type: 'text', text: 'Et ça ?' }, { type, [type]: {} }] }];
    expect(await post('chat/completions', { messages })).toMatchObject({ status: 400, body: { error: { param: 'messages', message: expect.stringContaining(`messages[1].content[1] is ${what}`) as string } } });
  });
});
