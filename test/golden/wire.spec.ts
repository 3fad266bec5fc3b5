import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { AppError } from '@essaim/core';
import { type ExpertPeer } from '@essaim/dispatch';
import { type ActivationDtype, connectWorker, serveWorker } from '@essaim/rpc';
import { type LocalCluster, startLocalCluster } from '@essaim/testing';
import { temporaryCache } from './compiled.ts';
import { perplexity } from './perplexity.ts';
import { checkpointDirectory, readPerplexity } from './read-vectors.ts';

/** What each form of activations on the wire costs: the built-in model with every expert behind a real connection. */

const compiled = temporaryCache();
afterAll(compiled.remove);
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function overTheWire(expert: ExpertPeer, wireDtype: ActivationDtype): Promise<ExpertPeer> {
  const lead = { generate: () => { throw new AppError('unimplemented', 'only experts are behind this wire'); } };
  const server = await serveWorker({ lead, expert, epoch: () => 1 }, { host: '127.0.0.1', port: 0, tls: 'insecure-loopback' });
  const connection = connectWorker(server.address, { tls: 'insecure-loopback', wireDtype });
  cleanups.push(() => server.close({ graceMs: 0 }), () => connection.close());
  return connection;
}

const start = (options: { readonly deterministic: boolean; readonly wireDtype: ActivationDtype | null }): Promise<LocalCluster> => startLocalCluster({
  directory: checkpointDirectory('deploy/models/petit'), dtype: 'float32', deterministic: options.deterministic, workers: 3, replicas: 1, seed: 1, cache: compiled.cache,
  ...(options.wireDtype !== null && { wire: (experts: ExpertPeer) => overTheWire(experts, options.wireDtype!) }),
});

describe('perplexity of the held-back text', () => {
  const vector = readPerplexity();

  // Times that of the oracle, which computes in float32. Measured: 1.00000, 1.00004, 0.99993, 0.99987.
  it.each([['f32', 1.00001], ['f16', 1.0005], ['bf16', 1.0005], ['int8', 1.0005]] as const)('with %s on the wire is at most %f times that of float32', async (wireDtype, most) => {
    await using cluster = await start({ deterministic: false, wireDtype });
    const ratio = await perplexity(cluster, vector) / vector.perplexity;
    expect(ratio).toBeLessThan(most);
    expect(ratio).toBeGreaterThan(1 / most);
  });
});

it('in deterministic mode gives the bits of a cluster without a wire, whatever form is asked for', async () => {
  const { ids, windowTokens } = readPerplexity();
  const logits = async (wireDtype: ActivationDtype | null): Promise<Float32Array> => {
    await using cluster = await start({ deterministic: true, wireDtype });
    const cache = cluster.kv.reserve(windowTokens)!;
    const [output] = await cluster.workers[0]!.runner.forward([{ cache, first: 0, tokenIds: ids.slice(0, windowTokens), logitsOfLast: 1 }], AbortSignal.timeout(60_000));
    cache.release();
    return output!.logits!;
  };
  expect(await logits('int8')).toEqual(await logits(null));
});
