import { type DescribedModel } from '../config/described-model.ts';
import { type JsonFile } from '../json/read-json.ts';
import { type WeightFiles } from '../safetensors/open-tensors.ts';
import { type TensorNames } from '../weights/tensor-names.ts';

/** One of the two forms in which these models are published: which files there are, and what is called how in them. */
export interface Layout {
  /** For messages. */
  readonly name: string;
  readonly configFile: string;
  /** All weights in one file, or an index that names the files. */
  readonly weightFiles: WeightFiles;
  describe(config: JsonFile): DescribedModel;
  /** The names in this checkpoint, given whether it has a tensor of some name. */
  tensorNames(has: (name: string) => boolean): TensorNames;
}
