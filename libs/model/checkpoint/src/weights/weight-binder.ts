import { AppError } from '@essaim/core';
import { type CheckpointFile } from '../folder.ts';
import { type StoredTensor } from '../safetensors/open-file.ts';
import { StoredView } from './stored-view.ts';

/** Buffers that older checkpoints carry and that are computed here. */
const COMPUTED = /\.rotary_emb\.inv_freq$/;
const OF_A_LAYER = /^model\.layers\./;

/**
 * Hands the tensors of a checkpoint to the roles that a family gives them, and sees to it that both sides come out even:
 * nothing that a role needs is missing or of another shape, and no tensor of a layer is left over, for the model would silently be computed without it.
 */
export class WeightBinder {
  readonly #directory: string;
  readonly #tensors: ReadonlyMap<string, StoredTensor>;
  readonly #bound = new Set<string>();
  readonly #missing: string[] = [];

  constructor(directory: string, tensors: ReadonlyMap<string, StoredTensor>) {
    this.#directory = directory;
    this.#tensors = tensors;
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** The tensor of that name and shape. One that is missing is replaced by a stand-in, so that `finish` can count them. */
  bind(name: string, shape: readonly number[]): StoredView {
    const tensor = this.#tensors.get(name) ?? this.#miss(name, shape);
    if (!sameShape(tensor.shape, shape)) {
      throw mismatch(`${tensor.path}: tensor ${name} has shape ${written(tensor.shape)}, but by config.json it has ${written(shape)}`);
    }
    this.#bound.add(name);
    return StoredView.of(tensor);
  }

  /** After the last `bind`, before the first read. Fails with `data_loss` where the two sides don't come out even. */
  finish(): void {
    const [missing] = this.#missing;
    if (missing !== undefined) throw mismatch(`${this.#directory} has no tensor ${missing}${andOthers(this.#missing)}, which config.json asks for`);
    const surplus = [...this.#tensors.keys()].filter((name) => OF_A_LAYER.test(name) && !this.#bound.has(name) && !COMPUTED.test(name));
    const [first] = surplus;
    if (first !== undefined) throw mismatch(`${this.#directory} has the tensor ${first}${andOthers(surplus)}, for which config.json has no place`);
  }

  #miss(name: string, shape: readonly number[]): StoredTensor {
    this.#missing.push(name);
    return { name, shape, dtype: 'F32', begin: 0, end: 0, dataOffset: 0, file: NOWHERE, path: NOWHERE.name };
  }
}

const NOWHERE: CheckpointFile = {
  name: 'nowhere',
  sizeBytes: 0,
  version: '',
  read: () => Promise.reject(new Error('assertion failed: a missing tensor is refused before it is read')),
};

const mismatch = (what: string): AppError => new AppError('data_loss', `${what}: download all files of one checkpoint again`);
const sameShape = (one: readonly number[], other: readonly number[]): boolean => one.length === other.length && one.every((size, axis) => size === other[axis]);
const written = (shape: readonly number[]): string => `[${shape.join(', ')}]`;
const andOthers = ({ length }: readonly string[]): string => (length === 1 ? '' : ` (and ${length - 1} more like it)`);
