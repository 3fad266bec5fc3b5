import { AppError, type ModelDescription, type ModelSpec } from '@essaim/core';

/** The spec of a model that the engine can run. Fails with `unimplemented` and names the first thing of it that it can't. `path` is the configuration's. */
export function runnableSpec(description: ModelDescription, path: string): ModelSpec {
  const { precision: _precision, vision: _vision, family, attention, feedForward, ...rest } = description;
  const refuse = (what: string): AppError => new AppError('unimplemented', `${path}: the model has ${what}, which can be read but not run yet: use a Mixtral, a Mistral or a Ministral 3`);
  if (attention.kind === 'mla' || family === 'mistral4' || family === 'deepseek-v3') throw refuse('latent attention (MLA)');
  return { ...rest, family, attention, feedForward: runnableFeedForward(feedForward, refuse) };
}

function runnableFeedForward(feedForward: ModelDescription['feedForward'], refuse: (what: string) => AppError): ModelSpec['feedForward'] {
  if (feedForward.kind === 'dense') return feedForward;
  const { kind, size, expertCount, expertsPerToken, router, sharedSize, denseLayerCount } = feedForward;
  if (sharedSize > 0) throw refuse('shared experts');
  if (denseLayerCount > 0) throw refuse('dense layers before the routed ones');
  if (router.kind !== 'softmax' || router.correctionBias || !router.renormalised || router.scale !== 1) throw refuse('a router other than a renormalised softmax');
  if (router.groupCount !== router.groupsPerToken) throw refuse('a router that chooses groups of experts');
  return { kind, size, expertCount, expertsPerToken };
}
