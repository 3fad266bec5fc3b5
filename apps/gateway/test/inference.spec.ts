import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectInference, type InferenceApi, type InferenceCall, type InferenceEvent, type InferenceRequest } from '@essaim/rpc';
import { answerText, STORY, tokenAt } from './scripted-lead.ts';
import { startReadyGateway, type TestGateway } from './test-gateway.ts';

const CALL: InferenceCall = { signal: new AbortController().signal, authorization: null, requestId: null };
const REQUEST: InferenceRequest = {
  model: 'petit', prompt: { kind: 'text', text: 'Il' }, sampling: {}, maxTokens: 20, minTokens: 0, stop: [], stopTokenIds: [], ignoreEos: false, logprobs: null,
};

describe('the public gRPC API', () => {
  let gateway: TestGateway;
  let client: InferenceApi & { close(): void };
  beforeAll(async () => {
    gateway = await startReadyGateway();
    client = connectInference(gateway.grpcAddress);
  });
  afterAll(async () => {
    client.close();
    await gateway[Symbol.asyncDispose]();
  });

  const lastRequest = () => gateway.leads[0]!.requests.at(-1)!;

  async function generate(request: Partial<InferenceRequest>, call: Partial<InferenceCall> = {}): Promise<{ deltas: Extract<InferenceEvent, { kind: 'delta' }>[]; last: InferenceEvent | undefined }> {
    const events: InferenceEvent[] = [];
    for await (const event of client.generate({ ...REQUEST, ...request }, { ...CALL, ...call })) events.push(event);
    return { deltas: events.filter((event) => event.kind === 'delta'), last: events.at(-1) };
  }

  it('streams the text of the answer and ends with what it cost', async () => {
    const { deltas, last } = await generate({});
    expect(deltas.map(({ text }) => text).join('')).toBe(answerText(20));
    expect(deltas.flatMap(({ tokenIds }) => tokenIds)).toEqual(Array.from({ length: 20 }, (_, position) => tokenAt(position)));
    expect(last).toMatchObject({ kind: 'done', finishReason: 'length', promptTokens: 1, completionTokens: 20, stats: { lead: 'w1', workers: ['w1'], remoteExpertCalls: 2 } });
  });

  it('takes token ids, the request id and every parameter as they are', async () => {
    const sampling = { temperature: 0, topP: 0.5, topK: 3, minP: 0.2, presencePenalty: 1, frequencyPenalty: -1, repetitionPenalty: 1.5, logitBias: new Map([[3, 5]]), seed: -(2n ** 62n) };
    await generate({ prompt: { kind: 'tokens', ids: [5, 6] }, sampling, maxTokens: 4, minTokens: 2, stopTokenIds: [9], ignoreEos: true, priority: -3, logprobs: 1 }, { requestId: 'mine' });
    expect(lastRequest()).toMatchObject({ requestId: 'mine', promptIds: [5, 6], sampling, maxTokens: 4, minTokens: 2, stopTokenIds: [9], ignoreEos: true, priority: -3, logprobs: 1 });
  });

  it('takes 256 tokens and temperature 1 where nothing is said', async () => {
    const { maxTokens: _, ...rest } = REQUEST;
    for await (const _event of client.generate(rest, CALL));
    expect(lastRequest()).toMatchObject({ maxTokens: 256, sampling: { temperature: 1 } });
  });

  it('ends before a stop string', async () => {
    const { deltas, last } = await generate({ stop: ['roi'], maxTokens: 500 });
    expect(deltas.map(({ text }) => text).join('')).toBe(STORY.slice(0, STORY.indexOf('roi')));
    expect(last).toMatchObject({ kind: 'done', finishReason: 'stop', stats: { lead: 'w1' } });
  });

  it.each([
    ['invalid_argument', { sampling: { temperature: -1 } }, 'temperature'],
    ['invalid_argument', { sampling: { topP: Number.NaN } }, 'top_p'],
    ['invalid_argument', { sampling: { minP: Number.POSITIVE_INFINITY } }, 'min_p'],
    ['invalid_argument', { maxTokens: 0 }, 'max_tokens'],
    ['invalid_argument', { maxTokens: 2_048 }, 'context of 2048'],
    ['invalid_argument', { prompt: { kind: 'tokens', ids: [8_192] } }, 'token 8192'],
    ['invalid_argument', { logprobs: 21 }, 'logprobs'],
    ['not_found', { model: 'grand' }, 'grand'],
  ] as const)('refuses with %s: %j', async (code, request, hint) => {
    await expect(generate(request as Partial<InferenceRequest>)).rejects.toMatchObject({ code, message: expect.stringContaining(hint) as string });
  });

  it('lists the models', async () => {
    expect(await client.listModels(CALL)).toEqual([{ id: 'petit', contextLength: 2_048 }]);
  });
});
