import { afterEach, expect, it } from 'vitest';
import { connectWorker, serveWorker, type Timed } from '../src/index.ts';
import { batch } from './samples.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

/** Counts what it ran, and what it ran within something else that it ran. */
function watch(): { readonly timed: Timed; ran: number; nested: number } {
  let depth = 0;
  const seen = {
    ran: 0, nested: 0,
    timed: <T>(work: () => T): T => {
      seen.ran++;
      if (depth++ > 0) seen.nested++;
      try {
        return work();
      } finally {
        depth--;
      }
    },
  };
  return seen;
}

it('turning activations into bytes and back is timed on both sides, each piece of it once, and waiting is not', async () => {
  const [lead, worker] = [watch(), watch()];
  const ranWhenAsked: number[] = [];
  const server = await serveWorker(
    { lead: { async *generate() { /* none */ } }, expert: { execute: async ({ activations }) => (ranWhenAsked.push(lead.ran, worker.ran), activations) }, epoch: () => 3, timed: worker.timed },
    { host: '127.0.0.1', port: 0, tls: 'insecure-loopback' },
  );
  cleanups.push(() => server.close({ graceMs: 0 }));
  const connection = connectWorker(server.address, { tls: 'insecure-loopback', timed: lead.timed });
  cleanups.push(() => connection.close());
  const asked = batch(3, 8);
  expect(await connection.execute(asked, AbortSignal.timeout(5_000))).toEqual(asked.activations);
  // The lead has made a frame; the worker has read the frame, then its activations.
  expect(ranWhenAsked).toEqual([1, 2]);
  expect([lead.ran, worker.ran]).toEqual([3, 4]);
  expect([lead.nested, worker.nested]).toEqual([0, 0]);
});
