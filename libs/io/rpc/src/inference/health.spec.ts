import { describe, expect, it } from 'vitest';
import { type CallContext } from '../bridge/call-context.ts';
import { HealthService } from './health.ts';

const UNKNOWN = 3, SERVING = 1, NOT_SERVING = 2;

/** A call that the test ends. */
function call(): { readonly context: CallContext; readonly end: () => void } {
  const gone = new AbortController();
  return { context: { signal: gone.signal, closing: new AbortController().signal, caller: null, metadata: () => null }, end: () => gone.abort() };
}

describe('health', () => {
  it('lists the server and its services', async () => {
    const health = new HealthService(['a.v1.A']);
    health.set('serving');
    expect(await health.handlers.list({ $typeName: 'grpc.health.v1.HealthListRequest' }, call().context)).toEqual({ statuses: { '': { status: SERVING }, 'a.v1.A': { status: SERVING } } });
  });

  it('knows no service of another server', async () => {
    const request = { $typeName: 'grpc.health.v1.HealthCheckRequest', service: 'b.v1.B' } as const;
    await expect(new HealthService([]).handlers.check(request, call().context)).rejects.toMatchObject({ code: 'not_found' });
  });

  it.each([['', [NOT_SERVING, SERVING, NOT_SERVING]], ['b.v1.B', [UNKNOWN]]])('tells who watches "%s" of each change, until the call ends', async (service, expected) => {
    const health = new HealthService([]);
    const { context, end } = call();
    const told = health.handlers.watch({ $typeName: 'grpc.health.v1.HealthCheckRequest', service }, context)[Symbol.asyncIterator]();
    const statuses = [(await told.next()).value!.status];
    for (const next of ['serving', 'serving', 'not_serving'] as const) {
      const change = expected.length > 1 && next !== (statuses.at(-1) === SERVING ? 'serving' : 'not_serving') ? told.next() : null;
      health.set(next);
      if (change !== null) statuses.push((await change).value!.status);
    }
    const last = told.next();
    end();
    expect([statuses, (await last).done]).toEqual([expected, true]);
  });
});
