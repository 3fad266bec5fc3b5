import { type ModelSpec } from '@essaim/core';
import { type AttentionGraphs } from './attention-graphs.ts';
import { groupedQueryGraphs } from './grouped-query.ts';
import { latentGraphs } from './latent.ts';

/** The graphs of a model's kind of attention. */
export const attentionOf = ({ attention }: Pick<ModelSpec, 'attention'>): AttentionGraphs =>
  attention.kind === 'gqa' ? groupedQueryGraphs(attention) : latentGraphs(attention);
