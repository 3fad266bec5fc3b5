import { expect, it } from 'vitest';
import { describeModel } from '@essaim/checkpoint';
import { defaultKvDtype, LIMITS, type ModelSpec, WEIGHT_DTYPES, workerId } from '@essaim/core';
import { kernelNeeds } from '@essaim/kernels';
import { kvBytesPerToken, kvLayoutOf } from '@essaim/kv';
import { layoutOf, leadPieces } from '@essaim/panels';
import { fitModel, modelSize, NO_OVERHEAD, type PlannedWorker } from '@essaim/planning';
import { randomModel } from '../../apps/cli/src/bench/shapes/random-model.ts';
import { SHAPE_EXPERTS, SHAPES } from '../../apps/cli/src/bench/shapes/models.ts';
import { memoryFolder } from '../../libs/model/checkpoint/test/memory-folder.ts';
import { MISTRAL_LARGE_3, MISTRAL_SMALL_4 } from '../../libs/model/checkpoint/test/published-configs.ts';

it.each([
  ['large-3', { 'params.json': JSON.stringify(MISTRAL_LARGE_3) }],
  ['small-4', { 'config.json': JSON.stringify(MISTRAL_SMALL_4) }],
] as const)('the benchmark of shapes measures %s as it was published, but for the number of layers', async (name, files) => {
  const { precision: _precision, predictorLayerCount: _predictors, vision: _vision, ...published } = await describeModel(memoryFolder(files));
  expect({ ...published, layerCount: 1, feedForward: { ...published.feedForward, denseLayerCount: 0, denseSize: 0 } }).toEqual(SHAPES[name]);
  expect(SHAPES[name].feedForward.expertCount).toBe(SHAPE_EXPERTS);
});

it.each(WEIGHT_DTYPES.flatMap((dtype) => (['large-3', 'small-4'] as const).map((name) => ({ name, dtype }))))('what is planned for $name at $dtype is what its weights take in memory', ({ name, dtype }) => {
  const spec: ModelSpec = SHAPES[name];
  const model = { spec, weights: randomModel(spec, 1), dtype };
  const planned = modelSize({ ...spec, precision: 'float', predictorLayerCount: 0, vision: false }, dtype);
  expect(layoutOf(model, { kind: 'expert', layer: 0, expert: 0 }).bytes).toBe(planned.expertBytes);
  expect(leadPieces(spec).reduce((sum, piece) => sum + layoutOf(model, piece).bytes, 0)).toBe(planned.denseBytes);
  expect(kvBytesPerToken(kvLayoutOf(spec, defaultKvDtype(dtype)))).toBe(planned.kvBytesPerToken);
});

it.each(['large-3', 'small-4'] as const)('what is planned for a step of %s is about what a worker asks for', async (name) => {
  const spec: ModelSpec = SHAPES[name];
  const { stepBytes } = await kernelNeeds({ model: { spec, weights: randomModel(spec, 1), dtype: 'int4' }, threads: 2, kvBytes: 1e9, sequences: LIMITS.runningSequences });
  const worker: PlannedWorker = { id: workerId('w1'), node: 0, device: { name: 'a machine', processor: 'cpu', memoryBytes: 1e12, readBytesPerSecond: 1, flopsPerSecond: 1, pricePerHour: null, overhead: NO_OVERHEAD } };
  const { workers } = fitModel(modelSize({ ...spec, precision: 'float', predictorLayerCount: 0, vision: false }, 'int4'), [worker], { replicas: 1, contextTokens: 1, streams: LIMITS.runningSequences, wireBytesPerValue: 4 });
  expect(workers[0]!.activationBytes / stepBytes).toBeGreaterThan(0.9);
  expect(workers[0]!.activationBytes / stepBytes).toBeLessThan(1.6);
});
