import { expect, it } from 'vitest';
import { denseLayerCount, denseSizeOf, expertCount, isRouted, PLAIN_ROUTING } from './feed-forward.ts';

const layers = [0, 1, 2, 3];
const DENSE = { layerCount: 4, feedForward: { kind: 'dense', size: 7 } } as const;
const MIXTRAL = { layerCount: 4, feedForward: { kind: 'moe', size: 5, expertCount: 8, expertsPerToken: 2, ...PLAIN_ROUTING } } as const;
/** As DeepSeek-V3: the first layers dense, the others with experts of which some are shared. */
const MIXED = { layerCount: 4, feedForward: { ...MIXTRAL.feedForward, sharedSize: 10, denseLayerCount: 3, denseSize: 20 } } as const;

it('layers are dense or routed by their place', () => {
  expect([DENSE, MIXTRAL, MIXED].map((model) => layers.map((layer) => isRouted(model, layer)))).toEqual([[false, false, false, false], [true, true, true, true], [false, false, false, true]]);
  expect([DENSE, MIXTRAL, MIXED].map(denseLayerCount)).toEqual([4, 0, 3]);
  expect([DENSE, MIXTRAL, MIXED].map(expertCount)).toEqual([0, 8, 8]);
});

it('what every token of a layer passes is its own network, or that of the shared experts, or none', () => {
  expect([DENSE, MIXTRAL, MIXED].map((model) => layers.map((layer) => denseSizeOf(model, layer)))).toEqual([[7, 7, 7, 7], [0, 0, 0, 0], [20, 20, 20, 10]]);
});
