import { afterAll, describe, expect, it } from 'vitest';
import { type WeightDtype } from '@essaim/core';
import { askProbe } from '@essaim/devices';
import { type Device } from '@essaim/runtime';
import { type LocalCluster, startLocalCluster } from '@essaim/testing';
import { temporaryCache } from './compiled.ts';
import { distances, logitsOf } from './logits-of.ts';
import { checkpointDirectory, type LogitsVector, logitsNames, readLogits } from './read-vectors.ts';

/**
 * Products in float16 against Hugging Face transformers. ONNX Runtime computes them in float32 on the processor, which shows the graphs and what is rounded in them; a device shows the rest, where the first
 * adapter of this host has float16: SwiftShader has none.
 */

const LOGIT_TOLERANCE = 2e-2;
const compiled = temporaryCache();
afterAll(compiled.remove);

/** Why no device of this host is tested; null where one is. */
async function whyNoDevice(): Promise<string | null> {
  try {
    const [first] = await askProbe({ kind: 'adapters' }, { entry: new URL('../../libs/io/devices/test/probe.process.ts', import.meta.url) });
    return first === undefined ? 'this host has no adapter' : first.f16 ? null : `${first.name} has no float16`;
  } catch (thrown) {
    return (thrown as Error).message;
  }
}

const start = (vector: LogitsVector, { device, dtype }: { readonly device: Device | null; readonly dtype: WeightDtype }): Promise<LocalCluster> =>
  startLocalCluster({ directory: checkpointDirectory(vector.checkpoints[0]!.folder), dtype, compute: 'f16', deterministic: false, workers: 1, replicas: 1, seed: 1, cache: compiled.cache, devices: [device] });

function suite(device: Device): void {
  it.each(logitsNames().filter((name) => !/fp8|nvfp4|petit/u.test(name)))('gives the logits of %s with weights of float16', async (name) => {
    const vector = readLogits(name);
    await using cluster = await start(vector, { device, dtype: 'float32' });
    for await (const { first, logits } of logitsOf(cluster, vector, 2)) expect(Math.max(...distances(vector, first, logits))).toBeLessThan(LOGIT_TOLERANCE);
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

describe('the graphs of float16, run by ONNX Runtime on the processor', () => suite({ provider: 'cpu', index: 0 }));

const reason = await whyNoDevice();
describe.skipIf(reason !== null)(`a device of WebGPU with float16${reason === null ? '' : ` (not tested: ${reason})`}`, () => suite({ provider: 'webgpu', index: 0 }));
