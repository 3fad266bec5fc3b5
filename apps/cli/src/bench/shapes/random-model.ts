import { assert, attentionMatrices, type FeedForwardWeights, type LatentAttentionWeights, type ModelSpec, type ModelWeights, type TensorView } from '@essaim/core';
import { seededRandom } from '../random.ts';

/** Values to copy rows from: 4 MiB. */
const POOL_VALUES = 1 << 20;

interface Distribution {
  readonly mean: number;
  /** A power of two: half the width of the range. */
  readonly spread: number;
}

/**
 * Weights of any size that lie nowhere: rows are made when they are read, the same ones each time, each a piece of one pool of random values
 * from a place of its own. Matrices keep the size of what they multiply and are exact in bfloat16; norms are near 1.
 */
class RandomViews {
  readonly #seed: number;
  readonly #pools = new Map<string, Float32Array>();
  #views = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  matrix(name: string, rows: number, columns: number): TensorView {
    return this.#view(name, rows, columns, { mean: 0, spread: 2 ** Math.round(Math.log2(Math.sqrt(3 / columns))) });
  }

  norm(name: string, columns: number): TensorView {
    return this.#view(name, 1, columns, { mean: 1, spread: 0.25 });
  }

  /** Rows of size about 1 a value, as what is added to the residual stream. */
  table(name: string, rows: number, columns: number): TensorView {
    return this.#view(name, rows, columns, { mean: 0, spread: 1 });
  }

  #view(name: string, rows: number, columns: number, distribution: Distribution): TensorView {
    assert(columns < POOL_VALUES, 'a row is shorter than the pool');
    const seed = this.#seed ^ Math.imul(++this.#views, 0x85ebca6b);
    return {
      name, rows, columns, dtype: distribution.mean === 0 ? 'bf16' : 'f32',
      fingerprint: () => Promise.resolve(`random ${seed} ${name} ${rows} ${columns}`),
      read: (firstRow, rowCount) => {
        const pool = this.#pool(distribution);
        const values = new Float32Array(rowCount * columns);
        for (let row = 0; row < rowCount; row++) {
          const start = seededRandom(seed ^ Math.imul(firstRow + row, 0x9e3779b1)).below(POOL_VALUES - columns);
          values.set(pool.subarray(start, start + columns), row * columns);
        }
        return Promise.resolve(values);
      },
    };
  }

  #pool({ mean, spread }: Distribution): Float32Array {
    const key = `${mean} ${spread}`;
    const random = seededRandom(this.#seed);
    // Odd numbers of 8 bits, which bfloat16 holds.
    const pool = this.#pools.get(key) ?? Float32Array.from({ length: POOL_VALUES }, () => mean + (2 * (random.next() >>> 24) - 255) * (spread / 256));
    this.#pools.set(key, pool);
    return pool;
  }
}

/** One routed layer with latent attention, between an embedding and a head. */
export function randomModel(spec: ModelSpec, seed: number): ModelWeights {
  const { hiddenSize, vocabSize, feedForward } = spec;
  assert(feedForward.kind === 'moe' && feedForward.sharedSize > 0, 'a model of these shapes routes, and shares an expert');
  const views = new RandomViews(seed);
  const network = (name: string, size: number): FeedForwardWeights =>
    ({ gate: views.matrix(`${name}.gate`, size, hiddenSize), up: views.matrix(`${name}.up`, size, hiddenSize), down: views.matrix(`${name}.down`, hiddenSize, size) });
  return {
    embedding: views.table('embedding', vocabSize, hiddenSize), finalNorm: views.norm('finalNorm', hiddenSize), head: views.matrix('head', vocabSize, hiddenSize),
    layers: [{
      inputNorm: views.norm('inputNorm', hiddenSize), attention: randomAttention(spec, views), postAttentionNorm: views.norm('postAttentionNorm', hiddenSize),
      feedForward: {
        kind: 'moe', router: views.matrix('router', feedForward.expertCount, hiddenSize), correctionBias: null, shared: network('shared', feedForward.sharedSize),
        experts: Array.from({ length: feedForward.expertCount }, (_, expert) => network(`experts.${expert}`, feedForward.size)),
      },
    }],
  };
}

function randomAttention({ attention, hiddenSize }: ModelSpec, views: RandomViews): LatentAttentionWeights {
  assert(attention.kind === 'mla' && attention.queryRank !== null, 'a model of these shapes has latents of queries too');
  const names = ['queryDown', 'query', 'keyValueDown', 'keyValueUp', 'output'];
  const [queryDown, query, keyValueDown, keyValueUp, output] = attentionMatrices(attention, hiddenSize).map(([rows, columns], nth) => views.matrix(names[nth]!, rows, columns));
  return {
    kind: 'mla', queryLatent: { down: queryDown!, norm: views.norm('queryNorm', attention.queryRank) }, query: query!,
    keyValueDown: keyValueDown!, latentNorm: views.norm('latentNorm', attention.latentRank), keyValueUp: keyValueUp!, output: output!,
  };
}
