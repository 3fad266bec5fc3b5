import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError, workerId, type WorkerPeer } from '@essaim/core';
import { type ExpertBatch, type ExpertPeer } from '@essaim/dispatch';
import { type GrpcServer, serveWorker } from '@essaim/rpc';
import { NEVER, OTHER, peer, SELF, snapshot } from '../test/samples.ts';
import { Peers } from './peers.ts';

const BATCH: ExpertBatch = {
  step: 1, layer: 0, attempt: 0, epoch: 1, hiddenSize: 2, activations: Float32Array.of(1, 2), rowOffsets: Uint32Array.of(0, 1), experts: Uint32Array.of(0), gates: Float32Array.of(1), reduce: true,
};

let servers: GrpcServer[];
let peers: Peers;
beforeEach(() => {
  servers = [];
  peers = new Peers(SELF, { tls: 'insecure-loopback' });
});
afterEach(async () => {
  peers.close();
  for (const server of servers) await server.close({ graceMs: 0 });
});

/** A worker behind a real socket whose experts answer with their number, whatever they are asked. */
async function serve(answer: number, execute: ExpertPeer['execute'] = () => Promise.resolve(Float32Array.of(answer, answer))): Promise<string> {
  const lead = {
    async *generate() {
      throw new AppError('unimplemented', 'no lead');
    },
  };
  const server = await serveWorker({ lead, expert: { execute }, epoch: () => 1 }, { host: '127.0.0.1', port: 0, tls: 'insecure-loopback' });
  servers.push(server);
  return server.address;
}

let epoch = 0;
const follow = (...workers: readonly WorkerPeer[]): void => peers.follow(snapshot(++epoch, { workers: [peer(SELF), ...workers] }));
const ask = (id = OTHER): Promise<number> => peers.get(id)!.execute(BATCH, NEVER).then((rows) => rows[0]!);

describe('the peers of a worker', () => {
  it('are the others of the placement, each at its address, never itself', async () => {
    const third = workerId('w3');
    follow(peer(OTHER, { address: await serve(2) }), peer(third, { address: await serve(3) }));
    expect([await ask(), await ask(third)]).toEqual([2, 3]);
    expect([peers.get(SELF), peers.get(workerId('w4'))]).toEqual([null, null]);
  });

  it.each(['joining', 'loading', 'ready', 'draining'] as const)('can be called while they are %s: whether to is the placement\'s matter', async (state) => {
    follow(peer(OTHER, { address: await serve(2), state }));
    expect(await ask()).toBe(2);
  });

  it('keep their connection from one snapshot to the next', async () => {
    const address = await serve(2);
    follow(peer(OTHER, { address }));
    const connection = peers.get(OTHER);
    follow(peer(OTHER, { address }));
    expect(peers.get(OTHER)).toBe(connection);
  });

  it('are called at their new address when they moved', async () => {
    follow(peer(OTHER, { address: await serve(2) }));
    expect(await ask()).toBe(2);
    follow(peer(OTHER, { address: await serve(20) }));
    expect(await ask()).toBe(20);
  });

  it.each([['are lost', [peer(OTHER, { state: 'lost' })]], ['left the placement', []]])('that %s are no peers any more, and calls to them that are under way fail at once', async (_what, workers) => {
    const called = Promise.withResolvers<void>();
    const address = await serve(2, () => {
      called.resolve();
      return new Promise(() => undefined);
    });
    follow(peer(OTHER, { address }));
    const answer = ask();
    await called.promise;
    follow(...workers);
    await expect(answer).rejects.toMatchObject({ code: 'unavailable' });
    expect(peers.get(OTHER)).toBeNull();
  });
});
