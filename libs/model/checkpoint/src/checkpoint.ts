import { type ModelSpec, type ModelWeights } from '@essaim/core';
import { readConfig } from './config/read-config.ts';
import { type CheckpointFolder } from './folder.ts';
import { openTensors } from './safetensors/open-tensors.ts';
import { WeightBinder } from './weights/weight-binder.ts';

/** A model as its files describe it. Nothing but configuration and headers is in memory; weights are read when asked for. */
export interface Checkpoint {
  readonly spec: ModelSpec;
  readonly weights: ModelWeights;
  /** Closes the folder too. */
  close(): Promise<void>;
}

/**
 * What the configuration says, without a look at the weights. Leaves nothing open.
 * Fails with `not_found` where the folder holds no checkpoint, with `unimplemented` where the model is of a kind that Essaim can't run,
 * and with `data_loss` where a file is damaged or contradicts itself.
 */
export async function readModelSpec(folder: CheckpointFolder): Promise<ModelSpec> {
  return (await readConfig(folder)).spec;
}

/**
 * Checks that the weights are whole and are those that the configuration describes: every name, shape and place, not the values.
 * Owns the folder from here on and closes it also when it fails, with the codes of `readModelSpec`.
 */
export async function openCheckpoint(folder: CheckpointFolder): Promise<Checkpoint> {
  try {
    const { spec, family } = await readConfig(folder);
    const binder = new WeightBinder(folder.directory, await openTensors(folder));
    const weights = family.bindWeights(spec, binder);
    binder.finish();
    return { spec, weights, close: () => folder.close() };
  } catch (thrown) {
    await folder.close();
    throw thrown;
  }
}
