import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { EventStreamClient } from './event-stream-client.ts';

const NEVER = new AbortController().signal;
const ANSWER = ['data: {"choices":[{"text":"Il"}]}\n\n', 'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":17}}\n\n', 'data: [DONE]\n\n'];

const client = new EventStreamClient();
let server: Server;
afterEach(() => server.close());

/** A server that gives every question the same answer. */
async function serving(status: number, chunks: readonly string[]): Promise<string> {
  server = createServer((_request, response) => {
    response.writeHead(status);
    for (const chunk of chunks) response.write(chunk);
    response.end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('a client of event streams', () => {
  it('tells how many tokens a complete stream had and when it began', async () => {
    const answer = await client.read({ url: await serving(200, ANSWER), body: {} }, NEVER);
    expect(answer.completionTokens).toBe(17);
    expect(answer.firstEventMs).toBeGreaterThan(0);
  });

  it.each([['another status', 429, ANSWER], ['no end', 200, ANSWER.slice(0, 2)]])('takes no answer with %s for a complete one', async (_what, status, chunks) => {
    await expect(client.read({ url: await serving(status, chunks), body: {} }, NEVER)).rejects.toThrow(`gave no complete stream, but status ${status}`);
  });
});
