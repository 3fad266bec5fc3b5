import { type ModelDescription } from '@essaim/core';
import { type JsonFile } from '../json/read-json.ts';

/** What an architecture says of itself; how its weights are stored is written elsewhere in the same file. */
export type DescribedArchitecture = Omit<ModelDescription, 'precision' | 'vision'>;

/** How the config.json of one architecture is read. */
export interface Architecture {
  /** As `architectures` of config.json names it. */
  readonly name: string;
  /** As `model_type` of a text_config names it. */
  readonly modelType: string;
  /** Fails with `data_loss` or `unimplemented` and a sentence that names the key. */
  describe(config: JsonFile): DescribedArchitecture;
}
