import { afterAll, expect, it } from 'vitest';
import { startLocalCluster } from '@essaim/testing';
import { temporaryCache } from './compiled.ts';
import { eventsOf, greedyRequest } from './generate.ts';
import { perplexity } from './perplexity.ts';
import { checkpointDirectory, readPerplexity } from './read-vectors.ts';
import { startTiny, tinyVector, tokenIds } from './tiny-cluster.ts';

/** Keys and values in 16 bits. */

const compiled = temporaryCache();
afterAll(compiled.remove);

it('change the perplexity of the built-in model by less than a twentieth of a per cent', async () => {
  const vector = readPerplexity();
  await using cluster = await startLocalCluster({
    directory: checkpointDirectory('deploy/models/petit'), dtype: 'float32', kvDtype: 'bf16', deterministic: false, workers: 1, replicas: 1, seed: 1, cache: compiled.cache,
  });
  // Measured: 0.99988.
  const ratio = await perplexity(cluster, vector) / vector.perplexity;
  expect(Math.abs(ratio - 1)).toBeLessThan(5e-4);
});

it('are the same bits in deterministic mode on another lead after a failover, which computes at once what the first one did token by token', async () => {
  const request = { ...greedyRequest(tinyVector.promptIds, 30), logprobs: 5 };
  const start = () => startTiny({ cache: compiled.cache, deterministic: true, dtype: 'int4', kvDtype: 'bf16' });
  await using lost = await start();
  const whole = (await eventsOf(lost.workers[0]!.engine, request)).filter(({ kind }) => kind === 'token');
  await using other = await start();
  const rest = await eventsOf(other.workers[1]!.engine, { ...request, generatedIds: tokenIds(whole.slice(0, 11)) });
  expect(rest.filter(({ kind }) => kind === 'token')).toEqual(whole.slice(11));
});
