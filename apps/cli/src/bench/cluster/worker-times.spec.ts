import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { NO_TIMES } from '@essaim/core';
import { freshTimes } from './worker-times.ts';

const NEVER = new AbortController().signal;
let server: Server | null = null;
let asked = 0;
afterEach(() => server?.close());

/** Answers the nth question with how long each worker was idle by then, in microseconds. */
async function serve(idleOf: (nth: number) => Record<string, number>, status = 200): Promise<string> {
  asked = 0;
  server = createServer((_request, response) => {
    const workers = Object.entries(idleOf(++asked)).map(([id, idle]) => ({ id, pid: 1, times: { ...NO_TIMES, lead: { ...NO_TIMES.lead, idle } } }));
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ workers }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('what workers tell', () => {
  it('is taken from the second new report of each, since the first may have been under way already', async () => {
    const reports = [{ w1: 10, w2: 10 }, { w1: 10, w2: 10 }, { w1: 20, w2: 10 }, { w1: 20, w2: 20 }, { w1: 20, w2: 30 }, { w1: 30, w2: 30 }];
    const url = await serve((nth) => reports[Math.min(nth, reports.length) - 1]!);
    const fresh = await freshTimes(url, NEVER);
    expect([...fresh].map(([id, { lead }]) => [id, lead.idle])).toEqual([['w1', 30], ['w2', 30]]);
    expect(asked).toBe(reports.length);
  });

  it('is not waited for once the benchmark is interrupted', async () => {
    const url = await serve(() => ({ w1: 10 }));
    const abort = new AbortController();
    const waiting = freshTimes(url, abort.signal);
    await expect.poll(() => asked).toBeGreaterThan(1);
    abort.abort();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('is missed in one sentence where the control plane refuses', async () => {
    const url = await serve(() => ({}), 503);
    await expect(freshTimes(url, NEVER)).rejects.toMatchObject({ code: 'unavailable', message: 'the control plane answered 503 when asked for its workers' });
  });
});
