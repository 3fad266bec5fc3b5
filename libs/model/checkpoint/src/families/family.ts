import { type ModelSpec, type ModelWeights } from '@essaim/core';
import { type JsonFile } from '../json/read-json.ts';
import { type WeightBinder } from '../weights/weight-binder.ts';

/** How the checkpoints of one architecture are read. */
export interface Family {
  /** As `architectures` of config.json names it. */
  readonly architecture: string;
  /** Fails with `data_loss` or `unimplemented` and a sentence that names the key. */
  readSpec(config: JsonFile): ModelSpec;
  /** Binds each tensor of the model once. What is missing or left over is the binder's to refuse. */
  bindWeights(spec: ModelSpec, binder: WeightBinder): ModelWeights;
}
