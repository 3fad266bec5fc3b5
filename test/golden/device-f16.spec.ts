import { afterAll, describe, expect, it } from 'vitest';
import { type WeightDtype } from '@essaim/core';
import { askProbe } from '@essaim/devices';
import { type Device } from '@essaim/runtime';
import { type LocalCluster, startLocalCluster } from '@essaim/testing';
import { temporaryCache } from './compiled.ts';
import { float16Device } from './device.ts';
import { greedyRequest, tokensOf } from './generate.ts';
import { distances, logitsOf } from './logits-of.ts';
import { checkpointDirectory, type LogitsVector, logitsNames, readGreedyRuns, readLogits } from './read-vectors.ts';

/**
 * Products in float16 against Hugging Face transformers. ONNX Runtime computes them in float32 on the processor, which shows the graphs and what is rounded in them. A device shows the rest: the first adapter
 * of this host where it has float16, else lavapipe, which computes on the processor and has it.
 */

/** Of logits up to 12. */
const LOGIT_TOLERANCE = 2e-2;
const largest = (values: readonly number[]): number => Math.max(...values);
const rootMeanSquare = (values: readonly number[]): number => Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length);
const PETIT = 'deploy/models/petit';
const compiled = temporaryCache();
afterAll(compiled.remove);

/** A device, or why there is none. */
async function deviceWithFloat16(): Promise<Device | string> {
  const [first] = await askProbe({ kind: 'adapters' }, { entry: new URL('../../libs/io/devices/test/probe.process.ts', import.meta.url) }).catch(() => []);
  return first?.f16 === true ? { provider: 'webgpu', index: 0 } : (float16Device() ?? 'neither an adapter of this host nor lavapipe');
}

const start = (vector: LogitsVector, { device, dtype }: { readonly device: Device | null; readonly dtype: WeightDtype }): Promise<LocalCluster> =>
  startLocalCluster({ directory: checkpointDirectory(vector.checkpoints[0]!.folder), dtype, compute: 'f16', deterministic: false, workers: 1, replicas: 1, seed: 1, cache: compiled.cache, devices: [device] });

function suite(device: Device, measure: (distances: readonly number[]) => number): void {
  it.each(logitsNames().filter((name) => !/fp8|nvfp4|petit/u.test(name)))('gives the logits of %s with weights of float16', async (name) => {
    const vector = readLogits(name);
    await using cluster = await start(vector, { device, dtype: 'float32' });
    const errors: number[] = [];
    for await (const { first, logits } of logitsOf(cluster, vector, 2)) errors.push(...distances(vector, first, logits));
    expect(measure(errors)).toBeLessThan(LOGIT_TOLERANCE);
  });

  // See `devices.spec.ts`; float16 adds a little of its own to what quantising costs.
  it.each([['mixtral-top4-fused-bf16', 'int8'], ['mixtral-top4-fused-bf16', 'int4'], ['mistral4-yarn-bf16', 'int8'], ['mistral4-yarn-bf16', 'int4']] as const)('is at most half again as far from the oracle as the kernels with %s at %s', async (name, dtype) => {
    const vector = readLogits(name);
    const errorOn = async (on: Device | null): Promise<number> => {
      await using cluster = await start(vector, { device: on, dtype });
      const errors: number[] = [];
      for await (const { first, logits } of logitsOf(cluster, vector, 0)) errors.push(...distances(vector, first, logits));
      return errors.sort((a, b) => a - b)[errors.length >> 1]!;
    };
    expect(await errorOn(device)).toBeLessThan(1.5 * await errorOn(null));
  });
}

describe('the graphs of float16, run by ONNX Runtime on the processor', () => suite({ provider: 'cpu', index: 0 }, largest));

const device = await deviceWithFloat16();
describe.skipIf(typeof device === 'string')(`a device of WebGPU with float16${typeof device === 'string' ? ` (not tested: ${device})` : ''}`, () => {
  // Sums are of float16, too, in ONNX Runtime's kernels of WebGPU: single logits are off by up to 0.07, and by 0.26 in a row whose router then takes another expert.
  suite(device as Device, rootMeanSquare);

  it('says the tokens of the oracle with the built-in model', async () => {
    const { promptIds, greedyIds } = readGreedyRuns().runs[0]!;
    await using cluster = await startLocalCluster({ directory: checkpointDirectory(PETIT), dtype: 'float32', compute: 'f16', deterministic: false, workers: 1, replicas: 1, seed: 1, cache: compiled.cache, devices: [device as Device] });
    expect(await tokensOf(cluster.workers[0]!.engine, greedyRequest(promptIds, 32))).toEqual(greedyIds.slice(0, 32));
  });
});
