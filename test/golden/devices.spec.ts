import { afterAll, describe, expect, it } from 'vitest';
import { type WeightDtype } from '@essaim/core';
import { type Device } from '@essaim/runtime';
import { type SchedulerLimits } from '@essaim/scheduler';
import { type LocalCluster, startLocalCluster } from '@essaim/testing';
import { temporaryCache } from './compiled.ts';
import { quickDevice } from './device.ts';
import { greedyRequest, tokensOf } from './generate.ts';
import { distances, logitsOf } from './logits-of.ts';
import { checkpointDirectory, logitsNames, readGreedyRuns, readLogits } from './read-vectors.ts';

/** The model on a device, through WebGPU on a software adapter, against Hugging Face transformers and against the kernels. */

const LOGIT_TOLERANCE = 1e-3;
const PETIT = 'deploy/models/petit';
const PROCESSOR: Device = { provider: 'cpu', index: 0 };
const SOFTWARE = quickDevice();
const compiled = temporaryCache();
afterAll(compiled.remove);

interface StartOptions {
  readonly devices: readonly (Device | null)[];
  readonly dtype?: WeightDtype;
  readonly deterministic?: boolean;
  readonly draftTokens?: number;
  readonly tensorBytes?: number | null;
  readonly limits?: Partial<SchedulerLimits>;
}

const start = (folder: string, { dtype = 'float32', deterministic = false, draftTokens = 0, tensorBytes = null, limits = {}, devices }: StartOptions): Promise<LocalCluster> =>
  startLocalCluster({ directory: checkpointDirectory(folder), dtype, deterministic, workers: devices.length, replicas: 1, seed: 1, cache: compiled.cache, devices, draftTokens, tensorBytes, limits });

async function comeAndGo(name: string, device: Device): Promise<void> {
  const { promptIds, checkpoints: [checkpoint] } = readLogits(name);
  // Answers end and begin while others go on; some have the beginning of another.
  const requests = Array.from({ length: 14 }, (_, nth) => greedyRequest(promptIds.slice(nth % 3, 3 + 4 * (nth % 5)), 3 + 7 * (nth % 4)));
  await using alone = await start(checkpoint!.folder, { devices: [null] });
  await using together = await start(checkpoint!.folder, { devices: [device], limits: { runningSequences: 9 } });
  const answers = await Promise.all(requests.map((request) => tokensOf(together.workers[0]!.engine, request)));
  for (const [nth, request] of requests.entries()) expect(answers[nth]).toEqual(await tokensOf(alone.workers[0]!.engine, request));
  together.workers[0]!.kv.checkIntegrity();
}

describe('the graphs, run by ONNX Runtime on the processor', () => {
  it.each(logitsNames())('give the logits of %s, with half of the experts on the kernels', async (name) => {
    const vector = readLogits(name);
    await using cluster = await start(vector.checkpoints[0]!.folder, { devices: [PROCESSOR, null] });
    for await (const { first, logits } of logitsOf(cluster, vector, 3)) expect(Math.max(...distances(vector, first, logits))).toBeLessThan(LOGIT_TOLERANCE);
  });

  it.each(['mixtral-top4-fused-bf16', 'mistral-window-bf16', 'mistral4-yarn-bf16'])('give each of %s the tokens that the kernels give it alone, when sequences come, go on together and go', (name) => comeAndGo(name, PROCESSOR));

  it('go on behind a beginning that another sequence computed, and behind wrong guesses', async () => {
    const { promptIds, greedyIds } = readGreedyRuns().runs[0]!;
    await using cluster = await start(PETIT, { devices: [PROCESSOR], draftTokens: 4 });
    const [{ engine, kv }] = cluster.workers as [LocalCluster['workers'][number]];
    expect(await tokensOf(engine, greedyRequest(promptIds, 64))).toEqual(greedyIds);
    expect(await tokensOf(engine, greedyRequest([...promptIds, ...greedyIds.slice(0, 40)], 24))).toEqual(greedyIds.slice(40));
    kv.checkIntegrity();
  });
});

describe.skipIf(SOFTWARE === null)('a device of WebGPU (skipped without Mesa\'s llvmpipe and SwiftShader)', () => {
  const device = SOFTWARE!;

  // What is stored as FP8 or NVFP4 is decoded before anything is compiled, and gives graphs of kinds that are here; the built-in model has a test of its own.
  it.each(logitsNames().filter((name) => !/fp8|nvfp4|petit/u.test(name)))('gives the logits of %s', async (name) => {
    const vector = readLogits(name);
    await using cluster = await start(vector.checkpoints[0]!.folder, { devices: [device] });
    for await (const { first, logits } of logitsOf(cluster, vector, 2)) expect(Math.max(...distances(vector, first, logits))).toBeLessThan(LOGIT_TOLERANCE);
  });

  it.each(['mixtral-top4-fused-bf16', 'mistral-window-bf16', 'mistral4-yarn-bf16'])('gives each of %s the tokens that the kernels give it alone, when sequences come, go on together and go', (name) => comeAndGo(name, device));

  it.each(['mixtral-top4-fused-bf16', 'mistral4-yarn-bf16'])('gives the logits of %s when it takes no tensor as large as its matrices', async (name) => {
    const vector = readLogits(name);
    await using cluster = await start(vector.checkpoints[0]!.folder, { devices: [device], tensorBytes: 5_000 });
    for await (const { first, logits } of logitsOf(cluster, vector, 1)) expect(Math.max(...distances(vector, first, logits))).toBeLessThan(LOGIT_TOLERANCE);
  });

  // Activations are rounded in another way than by the kernels: what quantising costs is to be the same, not the bits. The median, since a
  // router that stood between two experts of these random weights moves a whole row.
  it.each([['mixtral-top4-fused-bf16', 'int8'], ['mixtral-top4-fused-bf16', 'int4'], ['mistral4-yarn-bf16', 'int8'], ['mistral4-yarn-bf16', 'int4']] as const)('is no farther from the oracle than the kernels with %s at %s', async (name, dtype) => {
    const vector = readLogits(name);
    const errorOn = async (devices: StartOptions['devices']): Promise<number> => {
      await using cluster = await start(vector.checkpoints[0]!.folder, { devices, dtype });
      const errors: number[] = [];
      for await (const { first, logits } of logitsOf(cluster, vector, 0)) errors.push(...distances(vector, first, logits));
      return errors.sort((a, b) => a - b)[errors.length >> 1]!;
    };
    expect(await errorOn([device])).toBeLessThan(1.2 * await errorOn([null]));
  });

  it('shares the built-in model with a worker of the processor and another device, and says the 32 tokens of the oracle', async () => {
    await using cluster = await start(PETIT, { devices: [device, null, device] });
    const { promptIds, greedyIds } = readGreedyRuns().runs[0]!;
    expect(await tokensOf(cluster.workers[0]!.engine, greedyRequest(promptIds, 32))).toEqual(greedyIds.slice(0, 32));
    cluster.workers[0]!.kv.checkIntegrity();
  });

  it('gives a lead on the processor and one of its own the same tokens, in deterministic mode too', async () => {
    const { promptIds, greedyIds } = readLogits('mixtral-top4-fused-bf16');
    await using cluster = await start('test/golden/models/mixtral-top4-fused-bf16', { devices: [device, null], deterministic: true });
    const answers = await Promise.all(cluster.workers.map(({ engine }) => tokensOf(engine, greedyRequest(promptIds, greedyIds.length))));
    expect(answers).toEqual([greedyIds, greedyIds]);
  });
});
