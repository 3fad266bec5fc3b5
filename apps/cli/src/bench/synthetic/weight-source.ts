import { assert } from '@essaim/core';
import { type Random, seededRandom } from '../random.ts';

export interface Distribution {
  readonly mean: number;
  readonly deviation: number;
}

/** Values to copy from: 2 MiB as bfloat16, which a core's cache holds. */
const POOL_VALUES = 1 << 20;
/** The sum of so many uniform numbers has variance 1. */
const UNIFORMS_PER_NORMAL = 12;

/**
 * Nearly normal bfloat16 weights as fast as memory is copied: each row is a piece of one pool of random values, from a place of its own.
 * The same seed and the same calls give the same bits.
 */
export class WeightSource {
  readonly #random: Random;
  readonly #normals: Float32Array;
  /** The pool in bfloat16, by distribution: a model has a handful. */
  readonly #pools = new Map<string, Uint16Array>();

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#normals = Float32Array.from({ length: POOL_VALUES }, () => nearlyNormal(this.#random));
  }

  /** Rows of a matrix, [rows, columns]. */
  rows(rows: number, columns: number, distribution: Distribution): Uint16Array {
    assert(columns < POOL_VALUES, 'a row is shorter than the pool');
    const pool = this.#pool(distribution);
    const values = new Uint16Array(rows * columns);
    for (let row = 0; row < rows; row++) {
      const start = this.#random.below(POOL_VALUES - columns);
      values.set(pool.subarray(start, start + columns), row * columns);
    }
    return values;
  }

  #pool({ mean, deviation }: Distribution): Uint16Array {
    const key = `${mean} ${deviation}`;
    const pool = this.#pools.get(key) ?? toBfloat16(this.#normals.map((normal) => mean + deviation * normal));
    this.#pools.set(key, pool);
    return pool;
  }
}

/** By Irwin and Hall, without logarithms and cosines, whose last bit is not the same everywhere. Never beyond 6 deviations. */
function nearlyNormal(random: Random): number {
  let sum = 0;
  for (let count = 0; count < UNIFORMS_PER_NORMAL; count++) sum += random.next() / 2 ** 32;
  return sum - UNIFORMS_PER_NORMAL / 2;
}

/** The upper half of each float32, rounded to nearest, ties to even. */
export function toBfloat16(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(words, (word) => (word + 0x7fff + ((word >>> 16) & 1)) >>> 16);
}
