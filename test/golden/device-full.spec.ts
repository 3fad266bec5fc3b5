import { afterAll, expect, it } from 'vitest';
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

it.skipIf(adapter === null)('a device whose memory runs full counts as lost, since buffers that could not be made stay in ONNX Runtime\'s cache (skipped without SwiftShader and a C compiler)', async () => {
  const { checkpoints: [checkpoint], promptIds } = readLogits('mixtral-top4-fused-bf16');
  const device = showAdapter(adapter!.environment);
  await using cluster = await startLocalCluster({ directory: checkpointDirectory(checkpoint!.folder), dtype: 'float32', deterministic: false, workers: 1, replicas: 1, seed: 1, cache: compiled.cache, devices: [device] });
  const answer = (): Promise<number[]> => tokensOf(cluster.workers[0]!.engine, greedyRequest(promptIds, 4));
  adapter!.fill();
  const failure = await answer().catch((thrown: unknown) => thrown);
  // By which buffer had no memory first, Dawn calls it invalid or gives the device up.
  expect(failure).toBeInstanceOf(DeviceLost);
  expect(failure).toMatchObject({ message: expect.stringMatching(/^the (memory of the device webgpu ran full|device webgpu was lost): [^\n]* give keys and values less of (it|its memory)\b/) as string });
  adapter!.empty();
  await expect(answer()).rejects.toBe(failure);
});
