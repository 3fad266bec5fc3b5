import { expect, it } from 'vitest';
import { describeModel } from '@essaim/checkpoint';
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
