import { AppError } from '@essaim/core';
import { type CheckpointFile } from '../folder.ts';
import { type StoredTensor } from '../safetensors/open-file.ts';
import { fp8Grid, nvfp4Grid } from './scale-grid.ts';
import { ScaledView } from './scaled-view.ts';
import { StoredView } from './stored-view.ts';
import { type TensorNames } from './tensor-names.ts';

/** Buffers that older checkpoints carry and that are computed here, and scales of activations and of the KV cache, which are floats here. */
const UNUSED = /(\.rotary_emb\.inv_freq|\.input_scale|[._]activation_scale|\.input_global_scale|\.qscale_act|\.[kv]_scale)$/;
/** What the scales of X.weight or X.gate_up_proj may be called: by compressed-tensors, by transformers and DeepSeek, by Mistral. */
const scaleNames = (name: string): readonly string[] => [`${name}_scale`, `${name}_scale_inv`, name.replace(/weight$/, 'qscale_weight')];

export interface TensorSource {
  readonly directory: string;
  /** Of the configuration, for messages. */
  readonly configFile: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly names: TensorNames;
  /** Rows and columns of an FP8 block. */
  readonly block: readonly [rows: number, columns: number];
  /** Prefixes of layers behind the model's own. */
  readonly predictors: readonly string[];
}

/**
 * Hands the tensors of a checkpoint to their roles, and sees to it that both sides come out even: nothing that a role needs is missing or
 * of another shape, and no tensor of a layer is left over, for the model would silently be computed without it.
 */
export class WeightBinder {
  readonly names: TensorNames;
  readonly #source: TensorSource;
  readonly #bound = new Set<string>();
  readonly #missing: string[] = [];

  constructor(source: TensorSource) {
    this.names = source.names;
    this.#source = source;
  }

  has(name: string): boolean {
    return this.#source.tensors.has(name);
  }

  /**
   * The values of that name and shape, whatever they are stored in. What is missing is replaced by a stand-in, so that `finish` can count it.
   */
  bind(name: string, shape: readonly number[]): StoredView | ScaledView {
    if (this.has(`${name}_packed`)) return this.#bindNvfp4(name, shape);
    const tensor = this.#take(name, shape);
    return tensor.dtype === 'F8_E4M3' ? this.#bindFp8(tensor) : StoredView.of(tensor);
  }

  /** After the last `bind`, before the first read: what is left, none of which the model needs. Fails with `data_loss` where the sides don't come out even. */
  finish(): readonly StoredTensor[] {
    const { directory, configFile, tensors, predictors } = this.#source;
    const [missing] = this.#missing;
    if (missing !== undefined) throw mismatch(`${directory} has no tensor ${missing}${andOthers(this.#missing)}, which ${configFile} asks for`);
    const left = [...tensors.values()].filter(({ name }) => !this.#bound.has(name) && !UNUSED.test(name));
    const surplus = left.filter(({ name }) => name.startsWith(`${this.names.layers}.`) && !predictors.some((prefix) => name.startsWith(prefix)));
    const [first] = surplus;
    if (first !== undefined) throw mismatch(`${directory} has the tensor ${first.name}${andOthers(surplus)}, for which ${configFile} has no place`);
    return left;
  }

  #bindFp8(codes: StoredTensor): ScaledView {
    const names = scaleNames(codes.name);
    const scales = this.#take(names.find((name) => this.has(name)) ?? names[0]!, null);
    return new ScaledView(StoredView.of(codes), fp8Grid(codes, scales, this.#source.block));
  }

  #bindNvfp4(name: string, shape: readonly number[]): ScaledView {
    const pairs = this.#take(`${name}_packed`, [...shape.slice(0, -1), Math.ceil(shape.at(-1)! / 2)]);
    const grid = nvfp4Grid({ name, shape }, this.#take(`${name}_scale`, null), this.#take(`${name}_global_scale`, null));
    return new ScaledView(StoredView.ofPairs(pairs), grid);
  }

  /** `shape` is null where the shape itself says what the tensor is. */
  #take(name: string, shape: readonly number[] | null): StoredTensor {
    const tensor = this.#source.tensors.get(name) ?? this.#miss(name, shape ?? [1]);
    if (shape !== null && !sameShape(tensor.shape, shape)) {
      throw mismatch(`${tensor.path}: tensor ${name} has shape ${written(tensor.shape)}, but by ${this.#source.configFile} it has ${written(shape)}`);
    }
    this.#bound.add(name);
    return tensor;
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
const andOthers = ({ length }: readonly unknown[]): string => (length === 1 ? '' : ` (and ${length - 1} more like it)`);
