import { type DescribedArchitecture } from '../config/described-model.ts';
import { type JsonFile } from '../json/read-json.ts';

/** How the config.json of one architecture is read. */
export interface Architecture {
  /** As `architectures` of config.json names it. */
  readonly name: string;
  /** As `model_type` of a text_config names it. */
  readonly modelType: string;
  /** Fails with `data_loss` or `unimplemented` and a sentence that names the key. */
  describe(config: JsonFile): DescribedArchitecture;
}
