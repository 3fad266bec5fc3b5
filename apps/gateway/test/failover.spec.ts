import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { AppError, type SequenceRequest } from '@essaim/core';
import { answerText, type ScriptedLead, story, storyThenSilence, tokenAt } from './scripted-lead.ts';
import { startReadyGateway, type TestGateway } from './test-gateway.ts';

const REQUEST = { model: 'petit', prompt: 'Il était', max_tokens: 30, seed: 7, temperature: 0.8 };

interface Deaths {
  readonly leads: readonly ScriptedLead[];
  readonly deaths?: number;
  /** When the lead dies after its tokens; at once where it does not matter which of them arrive. */
  readonly when?: Promise<void>;
}

/** Whichever lead gets the next sequences emits some tokens and dies. */
function dieAfter(tokens: number, { leads, deaths = 1, when = Promise.resolve() }: Deaths): void {
  let dead = 0;
  for (const lead of leads) {
    lead.script = async function* (request, signal) {
      if (dead++ >= deaths) return yield* story(lead.id, request);
      void when.then(() => lead.die());
      yield* storyThenSilence(request, tokens, signal);
    };
  }
}

const story30 = Array.from({ length: 30 }, (_, position) => tokenAt(position));
const requestsOf = (gateway: TestGateway): SequenceRequest[] => gateway.leads.flatMap(({ requests }) => requests);
const textOf = async (response: Response): Promise<string> => ((await response.json()) as { choices: { text: string }[] }).choices[0]!.text;

describe('a lead worker that is lost', () => {
  it('costs no token of a stream, repeats none, and the next one gets every token that is out', async () => {
    await using gateway = await startReadyGateway({ leads: 2 });
    const arrived = Promise.withResolvers<void>();
    dieAfter(7, { leads: gateway.leads, when: arrived.promise });
    const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 });
    const body = { ...REQUEST, return_token_ids: true };
    let [text, ids] = ['', [] as number[]];
    for await (const { choices: [choice] } of await openai.completions.create({ ...body, stream: true })) {
      text += choice!.text;
      ids = ids.concat((choice as unknown as { token_ids: number[] }).token_ids);
      if (ids.length === 7) arrived.resolve();
    }
    expect(text).toBe(answerText(30));
    expect(ids).toEqual(story30);
    const [first, second] = requestsOf(gateway).sort((a, b) => a.generatedIds.length - b.generatedIds.length);
    expect(second).toEqual({ ...first, generatedIds: story30.slice(0, 7), timeoutMs: expect.any(Number) as number });
    expect(await (await fetch(`${gateway.url}/metrics`)).text()).toContain('essaim_gateway_failovers_total 1');
  });

  it('costs no token where it only hangs: its sequences go on elsewhere under the placement that has lost it', async () => {
    await using gateway = await startReadyGateway({ leads: 2 });
    for (const lead of gateway.leads) {
      lead.script = (request, signal) => (request.generatedIds.length > 0 ? story(lead.id, request) : storyThenSilence(request, 7, signal));
    }
    const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 });
    let ids: number[] = [];
    for await (const { choices: [choice] } of await openai.completions.create({ ...REQUEST, stream: true, return_token_ids: true } as typeof REQUEST & { stream: true })) {
      ids = ids.concat((choice as unknown as { token_ids: number[] }).token_ids);
      if (ids.length === 7) gateway.publish({ states: gateway.leads.map(({ requests }) => (requests.length > 0 ? 'lost' : 'ready')) });
    }
    expect(ids).toEqual(story30);
  });

  it('costs no token of a whole answer either', async () => {
    await using gateway = await startReadyGateway({ leads: 2 });
    dieAfter(7, gateway);
    expect(await textOf(await gateway.post('/v1/completions', REQUEST))).toBe(answerText(30));
  });

  it('repeats no log probabilities of the prompt', async () => {
    await using gateway = await startReadyGateway({ leads: 2 });
    dieAfter(3, gateway);
    const scripts = gateway.leads.map(({ script }) => script);
    gateway.leads.forEach((lead, index) => {
      lead.script = async function* (request, signal) {
        if (request.generatedIds.length === 0) yield { kind: 'prompt', logprobs: request.promptIds.map(() => null) };
        yield* scripts[index]!(request, signal);
      };
    });
    const body = (await (await gateway.post('/v1/completions', { ...REQUEST, echo: true, logprobs: 1 })).json()) as { choices: { logprobs: { tokens: string[] } }[] };
    expect(body.choices[0]!.logprobs.tokens).toHaveLength(requestsOf(gateway)[0]!.promptIds.length + 30);
  });

  it('may be lost twice, but not for ever', async () => {
    await using gateway = await startReadyGateway({ leads: 4 });
    dieAfter(4, { leads: gateway.leads, deaths: 2 });
    expect(await textOf(await gateway.post('/v1/completions', REQUEST))).toBe(answerText(30));
    await using doomed = await startReadyGateway({ leads: 4 });
    dieAfter(4, { leads: doomed.leads, deaths: 4 });
    expect((await doomed.post('/v1/completions', REQUEST)).status).toBe(503);
    expect(requestsOf(doomed)).toHaveLength(3);
  });

  it('is waited for a little: another one may become ready', async () => {
    await using gateway = await startReadyGateway({ leads: 2 });
    gateway.publish({ states: ['ready', 'joining'] });
    await gateway.untilReadyIs(200);
    dieAfter(5, gateway);
    const [dying, coming] = gateway.leads;
    const answer = gateway.post('/v1/completions', REQUEST);
    while (dying!.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    gateway.publish({ states: ['lost', 'ready'] });
    expect(await textOf(await answer)).toBe(answerText(30));
    expect(coming!.requests).toHaveLength(1);
  });

  it('without another one is told in one sentence', async () => {
    await using gateway = await startReadyGateway();
    dieAfter(5, gateway);
    const response = await gateway.post('/v1/completions', REQUEST);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ error: { message: expect.stringContaining('no other one can go on') as string } });
  });
});

describe('a lead worker that lives', () => {
  it('is heard: what it says goes to the client when nobody else can go on', async () => {
    await using gateway = await startReadyGateway();
    gateway.leads[0]!.script = () => { throw new AppError('unavailable', '2 experts can not be reached'); };
    const response = await gateway.post('/v1/completions', REQUEST);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ error: { message: '2 experts can not be reached' } });
  });

  it('and shuts down hands its sequences over', async () => {
    await using gateway = await startReadyGateway({ leads: 2 });
    let leaving = true;
    for (const lead of gateway.leads) {
      lead.script = async function* (request) {
        if (!leaving) return yield* story(lead.id, request);
        leaving = false;
        yield { kind: 'token', id: tokenAt(0), logprobs: null };
        throw new AppError('unavailable', 'this worker is shutting down');
      };
    }
    expect(await textOf(await gateway.post('/v1/completions', REQUEST))).toBe(answerText(30));
  });

  it('and is full sends the client to the next one, and only when all are full away', async () => {
    await using gateway = await startReadyGateway({ leads: 2 });
    const full = () => { throw new AppError('resource_exhausted', '512 sequences wait here'); };
    const [first, second] = gateway.leads;
    first!.script = full;
    for (let request = 0; request < 2; request++) expect((await gateway.post('/v1/completions', REQUEST)).status).toBe(200);
    second!.script = full;
    const response = await gateway.post('/v1/completions', REQUEST);
    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).toBe('1');
  });

  it('gets as many sequences as the others', async () => {
    await using gateway = await startReadyGateway({ leads: 3 });
    const release = Promise.withResolvers<void>();
    for (const lead of gateway.leads) {
      lead.script = async function* (request) {
        await release.promise;
        yield* story(lead.id, request);
      };
    }
    const answer = gateway.post('/v1/completions', { ...REQUEST, n: 9 });
    while (requestsOf(gateway).length < 9) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(gateway.leads.map(({ requests }) => requests.length)).toEqual([3, 3, 3]);
    release.resolve();
    expect((await answer).status).toBe(200);
  });
});
