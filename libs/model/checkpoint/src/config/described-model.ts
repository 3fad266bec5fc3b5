import { type ModelDescription } from '@essaim/core';
import { type StoredWeights } from './quantisation.ts';

/** What the configuration of a model says. */
export interface DescribedModel {
  readonly description: ModelDescription;
  readonly stored: StoredWeights;
}

/** What an architecture says of itself; how its weights are stored is written elsewhere in the same file. */
export type DescribedArchitecture = Omit<ModelDescription, 'precision' | 'vision'>;
