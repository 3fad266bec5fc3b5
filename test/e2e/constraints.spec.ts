import { Mistral } from '@mistralai/mistralai';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUF, runToEnd, startCluster, type RunningCluster } from './harness.ts';

/** The built-in model writes novels of the 19th century: of itself it says no JSON. */

const USER = { role: 'user' as const, content: 'Qui est là ?' };
const SCHEMA = {
  type: 'object', additionalProperties: false, required: ['nom', 'age', 'amis'],
  properties: { nom: { type: 'string', maxLength: 30 }, age: { type: 'integer', minimum: 0, maximum: 120 }, amis: { type: 'array', items: { enum: ['Julien', 'Mathilde'] }, maxItems: 3 }, ne: { type: 'string', format: 'date' } },
};
const FORMAT = { type: 'json_schema' as const, json_schema: { name: 'person', strict: true, schema: SCHEMA } };

function checkPerson(text: string): void {
  const { nom, age, amis } = JSON.parse(text) as { nom: unknown; age: number; amis: string[] };
  expect([typeof nom, Number.isInteger(age) && age >= 0 && age <= 120, amis.length <= 3 && amis.every((each) => ['Julien', 'Mathilde'].includes(each))]).toEqual(['string', true, true]);
}

describe.each([['--speculate', '0'], ['--speculate', '4']])('answers of a real cluster (%s %s)', (...flags) => {
  let cluster: RunningCluster;
  let openai: OpenAI;
  beforeAll(async () => {
    cluster = await startCluster(['--replicas', '2', '--deterministic', ...flags]);
    openai = new OpenAI({ baseURL: `${cluster.ready.addresses.http}/v1`, apiKey: 'none', maxRetries: 0 });
  });
  afterAll(async () => cluster[Symbol.asyncDispose]());

  it('are valid against a schema, the same streamed and not, many at once', async () => {
    const ask = (seed: number) => ({ model: 'petit', messages: [USER], response_format: FORMAT, seed, max_tokens: 400 });
    const whole = await Promise.all([1, 2, 3, 4, 5, 6].map(async (seed) => (await openai.chat.completions.create(ask(seed))).choices[0]!));
    for (const [place, { message, finish_reason: reason }] of whole.entries()) {
      expect(reason).toBe('stop');
      checkPerson(message.content!);
      let streamed = '';
      for await (const chunk of await openai.chat.completions.create({ ...ask(place + 1), stream: true })) streamed += chunk.choices[0]?.delta.content ?? '';
      expect(streamed).toBe(message.content);
    }
    expect(new Set(whole.map(({ message }) => message.content)).size).toBeGreaterThan(1);
  });

  it('are what patterns, lists and grammars allow', async () => {
    const complete = async (extra: object): Promise<string> => (await openai.completions.create({ model: 'petit', prompt: 'Il avait', max_tokens: 60, seed: 3, ...extra } as OpenAI.CompletionCreateParamsNonStreaming)).choices[0]!.text;
    expect(await complete({ guided_regex: ' (vingt|trente) ans et [a-zé]{2,8}\\.' })).toMatch(/^ (vingt|trente) ans et [a-zé]{2,8}\.$/);
    expect([' oui', ' non']).toContain(await complete({ guided_choice: [' oui', ' non'] }));
    expect(await complete({ guided_grammar: 'root ::= " " list\nlist ::= "[" ([1-9] | list) ("," ([1-9] | list)){0,2} "]"' })).toMatch(/^ \[[[\]1-9,]+\]$/);
  });

  it("are JSON for Mistral's client", async () => {
    const mistral = new Mistral({ serverURL: cluster.ready.addresses.http, apiKey: 'none' });
    const { choices: [choice] } = await mistral.chat.complete({ model: 'petit', messages: [USER], maxTokens: 400, randomSeed: 2, responseFormat: { type: 'json_schema', jsonSchema: { name: 'person', schemaDefinition: SCHEMA } } });
    checkPerson(choice!.message!.content as string);
  });

  it('are JSON over gRPC', async () => {
    const url = `http://${cluster.ready.addresses.grpc}/essaim.inference.v1.InferenceService/Generate`;
    const { stdout } = await runToEnd(BUF, ['curl', '--protocol', 'grpc', '--http2-prior-knowledge', url, '-d', JSON.stringify({ model: 'petit', text: 'Il', maxTokens: 400, sampling: { seed: '1' }, jsonSchema: JSON.stringify(SCHEMA) })]);
    const messages = stdout.trim().split(/(?<=^\})\n/m).map((text) => JSON.parse(text) as { delta?: { text?: string } });
    checkPerson(messages.map(({ delta }) => delta?.text ?? '').join(''));
  });

  it('are refused in one sentence where a schema can\'t be followed', async () => {
    const asked = { model: 'petit', messages: [USER], response_format: { type: 'json_schema' as const, json_schema: { name: 'a', schema: { type: 'array', uniqueItems: true } } } };
    await expect(openai.chat.completions.create(asked)).rejects.toMatchObject({ status: 400, param: 'response_format', message: expect.stringContaining('uniqueItems') as string });
  });

  it('go on at another worker where theirs is killed', async () => {
    const long = { model: 'petit', prompt: 'Il était une fois', max_tokens: 500, seed: 5, guided_regex: '([a-zé ]{20,30}\\n){12}' } as unknown as OpenAI.CompletionCreateParamsNonStreaming;
    const undisturbed = (await openai.completions.create(long)).choices[0]!.text;
    expect(undisturbed).toMatch(/^([a-zé ]{20,30}\n){12}$/);
    let underWay = 0;
    const kill = (): void => void process.kill(cluster.ready.workers.find(({ id }) => id === 'w2')!.pid, 'SIGKILL');
    const texts = await Promise.all(Array.from({ length: 3 }, async () => {
      let [text, chunks] = ['', 0];
      for await (const chunk of await openai.completions.create({ ...long, stream: true })) {
        text += chunk.choices[0]?.text ?? '';
        if (++chunks === 20 && ++underWay === 3) kill();
      }
      return text;
    }));
    expect(texts).toEqual([undisturbed, undisturbed, undisturbed]);
  });
});
