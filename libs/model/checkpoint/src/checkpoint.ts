import { type ModelDescription, type ModelSpec, type ModelWeights, type WeightPrecision } from '@essaim/core';
import { type CheckpointFolder } from './folder.ts';
import { readConfig } from './read-config.ts';
import { openTensors } from './safetensors/open-tensors.ts';
import { bindDecoder } from './weights/bind-decoder.ts';
import { leftOver } from './weights/left-over.ts';
import { WeightBinder } from './weights/weight-binder.ts';

/** A model as its files describe it. Nothing but configuration and headers is in memory; weights are read when asked for. */
export interface Checkpoint {
  readonly spec: ModelSpec;
  /** What the matrices are stored in. */
  readonly precision: WeightPrecision;
  readonly weights: ModelWeights;
  /** What of the files is not read, one sentence each. */
  readonly notes: readonly string[];
  /** Closes the folder too. */
  close(): Promise<void>;
}

/**
 * What the configuration says, without a look at the weights. Leaves nothing open.
 * Fails with `not_found` where the folder holds no checkpoint, with `unimplemented` where the model is of a kind that Essaim can't read,
 * and with `data_loss` where a file is damaged or contradicts itself.
 */
export async function readModelSpec(folder: CheckpointFolder): Promise<ModelSpec> {
  return specOf(await describeModel(folder));
}

/** The same with what it says of the files. */
export async function describeModel(folder: CheckpointFolder): Promise<ModelDescription> {
  return (await readConfig(folder)).description;
}

/**
 * Checks that the weights are whole and are those that the configuration describes: every name, shape and place, not the values.
 * Owns the folder from here on and closes it also when it fails, with the codes of `readModelSpec`.
 */
export async function openCheckpoint(folder: CheckpointFolder): Promise<Checkpoint> {
  try {
    const { layout, description, stored: { block } } = await readConfig(folder);
    const spec = specOf(description);
    const tensors = await openTensors(folder, layout.weightFiles);
    const names = layout.tensorNames((name) => tensors.has(name));
    const predictors = Array.from({ length: description.predictorLayerCount }, (_, nth) => `${names.layers}.${spec.layerCount + nth}.`);
    const binder = new WeightBinder({ directory: folder.directory, configFile: layout.configFile, tensors, names, block, predictors });
    const weights = bindDecoder(spec, binder);
    return { spec, precision: description.precision, weights, notes: leftOver(binder.finish(), { vision: names.vision, predictors }), close: () => folder.close() };
  } catch (thrown) {
    await folder.close();
    throw thrown;
  }
}

function specOf({ precision: _precision, predictorLayerCount: _predictors, vision: _vision, ...spec }: ModelDescription): ModelSpec {
  return spec;
}
