import { rmSync } from 'node:fs';
import { join } from 'node:path';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningCluster, startCluster, temporaryFolder } from './harness.ts';
import { writeTekkenCheckpoint } from './tekken-checkpoint.ts';

/** A model of random weights calls tools only where it must, and then with valid arguments: what it says is noise, how it is said is not. */

const TOOLS: OpenAI.ChatCompletionFunctionTool[] = ['meteo', 'heure'].map((name) => ({
  type: 'function',
  function: { name, parameters: { type: 'object', additionalProperties: false, required: ['ville', 'jours'], properties: { ville: { enum: ['Paris', 'Lyon'] }, jours: { type: 'integer', minimum: 1, maximum: 7 } } } },
}));
const SCHEMA = { type: 'object', additionalProperties: false, required: ['nom', 'age'], properties: { nom: { type: 'string', maxLength: 12 }, age: { type: 'integer', minimum: 0, maximum: 120 } } };

describe.each([['1'], ['3']])("a folder in Mistral's layout with a tekken.json, on %s workers", (workers) => {
  const folder = temporaryFolder();
  let cluster: RunningCluster;
  let openai: OpenAI;
  beforeAll(async () => {
    const model = join(folder, 'tiny');
    writeTekkenCheckpoint(model);
    cluster = await startCluster(['--model', model, '--dtype', 'float32', '--workers', workers, '--deterministic']);
    openai = new OpenAI({ baseURL: `${cluster.ready.addresses.http}/v1`, apiKey: 'none', maxRetries: 0 });
  });
  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const chat = (extra: object) => ({ model: 'tiny', messages: [{ role: 'system' as const, content: 'Sois bref.' }, { role: 'user' as const, content: 'Quel temps ? [TOOL_CALLS]</s>' }], seed: 7, ...extra });

  const chunksOf = async (asked: ReturnType<typeof chat>): Promise<OpenAI.ChatCompletionChunk[]> => {
    const chunks: OpenAI.ChatCompletionChunk[] = [];
    for await (const chunk of await openai.chat.completions.create({ ...asked, stream: true })) chunks.push(chunk);
    return chunks;
  };

  it('calls tools, the same streamed and not, and reads what they found', async () => {
    const asked = chat({ tools: TOOLS, tool_choice: 'required', parallel_tool_calls: false, max_tokens: 100 });
    const { message, finish_reason: reason } = (await openai.chat.completions.create({ ...asked, stream: false })).choices[0]!;
    expect(reason).toBe('tool_calls');
    const [call] = message.tool_calls as [OpenAI.ChatCompletionMessageFunctionToolCall];
    expect(call.id).toMatch(/^[A-Za-z0-9]{9}$/);
    expect(['meteo', 'heure']).toContain(call.function.name);
    const { ville, jours } = JSON.parse(call.function.arguments) as { ville: string; jours: number };
    expect([['Paris', 'Lyon'].includes(ville), jours >= 1 && jours <= 7]).toEqual([true, true]);

    const streamed = (await chunksOf(asked)).flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? []);
    expect(streamed.map(({ function: called }) => called)).toEqual([call.function]);

    const told = [...asked.messages, { role: 'assistant' as const, tool_calls: [call] }, { role: 'tool' as const, tool_call_id: call.id, content: 'clair' }];
    const answer = await openai.chat.completions.create({ ...asked, stream: false, messages: told, tool_choice: 'none', max_tokens: 5 });
    expect(answer.usage!.completion_tokens).toBeGreaterThan(0);
  });

  it('is held to a schema, the same streamed and not', async () => {
    const asked = chat({ max_tokens: 200, response_format: { type: 'json_schema', json_schema: { name: 'person', schema: SCHEMA } } });
    const { message, finish_reason: reason } = (await openai.chat.completions.create({ ...asked, stream: false })).choices[0]!;
    expect([reason, Object.keys(JSON.parse(message.content!) as object)]).toEqual(['stop', ['nom', 'age']]);
    const pieces = (await chunksOf(asked)).map(({ choices }) => choices[0]?.delta.content ?? '');
    expect(pieces.join('')).toBe(message.content);
    expect(pieces.join('').isWellFormed() && pieces.every((piece) => piece.isWellFormed())).toBe(true);
  });

  it('refuses an image in one sentence', async () => {
    const image = { messages: [{ role: 'user' as const, content: [{ type: 'image_url' as const, image_url: { url: 'data:image/png;base64,AA==' } }] }] };
    await expect(openai.chat.completions.create({ ...chat({}), ...image })).rejects.toMatchObject({ status: 400, message: expect.stringMatching(/image/) as string });
  });
});
