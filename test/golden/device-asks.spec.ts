import { afterAll, describe, expect, it } from 'vitest';
import { type Asked, idleAdapter } from '../../libs/io/devices/test/idle-adapter.ts';
import { type LocalCluster, startLocalCluster } from '@essaim/testing';
import { temporaryCache } from './compiled.ts';
import { showAdapter } from './device.ts';
import { checkpointDirectory } from './read-vectors.ts';

/** What a step asks of a device, counted by a driver that does nothing: it bounds how fast a fast card can be. */

const NEVER = new AbortController().signal;
const PROMPT = [5, 6, 7, 8];
const adapter = idleAdapter();
const compiled = temporaryCache();
afterAll(() => {
  adapter?.[Symbol.dispose]();
  compiled.remove();
});

/** Of the second step of so many sequences behind their prompts, a token each. */
async function askedFor({ workers: [worker] }: LocalCluster, sequences: number): Promise<Asked> {
  const { runner, kv } = worker!;
  const caches = Array.from({ length: sequences }, () => kv.reserve(PROMPT.length + 2)!);
  for (const cache of caches) await runner.forward([{ cache, first: 0, tokenIds: PROMPT, logitsOfLast: 0 }], NEVER);
  const step = (first: number): Promise<unknown> => runner.forward(caches.map((cache) => ({ cache, first, tokenIds: [9], logitsOfLast: 0 })), NEVER);
  await step(PROMPT.length);
  const before = adapter!.asked();
  await step(PROMPT.length + 1);
  const after = adapter!.asked();
  for (const cache of caches) cache.release();
  return { dispatches: after.dispatches - before.dispatches, submits: after.submits - before.submits };
}

const startOn = (folder: string): Promise<LocalCluster> =>
  startLocalCluster({ directory: checkpointDirectory(folder), dtype: 'int4', deterministic: false, workers: 1, replicas: 1, seed: 1, cache: compiled.cache, devices: [showAdapter(adapter!.environment)] });

describe.skipIf(adapter === null)('a step on a device (skipped without SwiftShader and a C compiler)', () => {
  it.each([
    ['grouped queries and two experts', 'deploy/models/petit', { dispatches: 34, submits: 11 }],
    ['latents, four experts and a shared one', 'test/golden/models/mistral4-yarn-bf16', { dispatches: 74, submits: 19 }],
  ])('of %s asks no more for many sequences than for two, and a bounded number a layer', async (_what, folder, most) => {
    await using cluster = await startOn(folder);
    const { layerCount } = cluster.spec;
    const [one, two, many] = [await askedFor(cluster, 1), await askedFor(cluster, 2), await askedFor(cluster, 20)];
    expect(many.dispatches).toBe(two.dispatches);
    expect(one.dispatches).toBeLessThanOrEqual(most.dispatches * layerCount);
    expect(one.submits).toBeLessThanOrEqual(most.submits * layerCount);
  });
});
