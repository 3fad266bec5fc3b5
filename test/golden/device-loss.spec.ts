import { InferenceSession } from 'onnxruntime-node';
import { afterAll, expect, it, vi } from 'vitest';
import { faultyAdapter } from '../../libs/io/devices/test/faulty-adapter.ts';
import { DeviceLost } from '@essaim/runtime';
import { startLocalCluster } from '@essaim/testing';
import { temporaryCache } from './compiled.ts';
import { showAdapter } from './device.ts';
import { greedyRequest, tokensOf } from './generate.ts';
import { checkpointDirectory, readLogits } from './read-vectors.ts';

const adapter = faultyAdapter();
const compiled = temporaryCache();
afterAll(() => {
  adapter?.[Symbol.dispose]();
  compiled.remove();
});

it.skipIf(adapter === null)('a device that is lost ends every answer under way, and whatever is asked of it later at once (skipped without SwiftShader and a C compiler)', async () => {
  const { checkpoints: [checkpoint], promptIds, greedyIds } = readLogits('mixtral-top4-fused-bf16');
  const device = showAdapter(adapter!.environment);
  await using cluster = await startLocalCluster({ directory: checkpointDirectory(checkpoint!.folder), dtype: 'float32', deterministic: false, workers: 1, replicas: 1, seed: 1, cache: compiled.cache, devices: [device] });
  const { engine, kv } = cluster.workers[0]!;
  const answer = (): Promise<number[]> => tokensOf(engine, greedyRequest(promptIds, 4));
  expect(await answer()).toEqual(greedyIds.slice(0, 4));

  adapter!.lose();
  const failures = (await Promise.allSettled([answer(), answer(), answer()])).map((outcome) => (outcome.status === 'rejected' ? (outcome.reason as unknown) : null));
  for (const failure of failures) {
    expect(failure).toBeInstanceOf(DeviceLost);
    expect(failure).toMatchObject({ code: 'unavailable', message: expect.stringMatching(/^the device webgpu was lost: its worker starts again/) as string });
  }
  const run = vi.spyOn((InferenceSession as unknown as { readonly prototype: InferenceSession }).prototype, 'run');
  await expect(answer()).rejects.toBe(failures[0]);
  // The embedding alone is looked up with the host.
  expect(run.mock.calls.flatMap(([feeds]) => Object.keys(feeds))).toEqual(['ids']);
  kv.checkIntegrity();
});
