import { assert, type FeedForwardWeights, type LatentAttention, type LatentAttentionWeights, scoreFactorOf, type TensorView, type WeightDtype } from '@essaim/core';
import { BLOCK_SIZE, bytesPerBlock, blocksPerRow, type QuantisedDtype, quantiseRows } from '@essaim/quantise';

/** What kernels should compute, in float64 and plain loops, with the values that quantised weights mean: nothing here knows how they lie in memory. */

/** [rows][width] */
export type Matrix64 = readonly Float64Array[];

const CHUNK_ROWS = 256;

/** Rows that are quantised, and back. */
function meant(values: Float32Array, columns: number, dtype: QuantisedDtype): Float32Array {
  const { codes, scales } = quantiseRows(values, { columns, dtype, scales: 'bf16' });
  const [blocks, bytes] = [blocksPerRow(columns), bytesPerBlock(dtype)];
  return values.map((_, index) => {
    const [row, column] = [Math.floor(index / columns), index % columns];
    const block = row * blocks + Math.floor(column / BLOCK_SIZE);
    const place = column % BLOCK_SIZE;
    if (dtype === 'int8') return (codes[block * bytes + place]! - 128) * scales[block]!;
    return (((codes[block * bytes + (place >> 1)]! >> (4 * (place & 1))) & 15) - 8) * scales[block]!;
  });
}

const dot = (x: Float64Array, values: Float32Array, first: number): number => {
  let sum = 0;
  for (let index = 0; index < x.length; index++) sum += x[index]! * values[first + index]!;
  return sum;
};

/** x W^T [rows of x][rows of W], or the columns of it that `rows` names. */
export async function product(x: Matrix64, view: TensorView, { dtype, rows }: { readonly dtype: WeightDtype; readonly rows?: readonly number[] }): Promise<Matrix64> {
  const wanted = rows ?? Array.from({ length: view.rows }, (_, row) => row);
  const result = x.map(() => new Float64Array(wanted.length));
  const atOnce = rows === undefined ? CHUNK_ROWS : 1;
  for (let first = 0; first < wanted.length; first += atOnce) {
    const count = Math.min(atOnce, wanted.length - first);
    const read = await view.read(wanted[first]!, count);
    const values = dtype === 'float32' ? read : meant(read, view.columns, dtype);
    x.forEach((row, nth) => {
      for (let each = 0; each < count; each++) result[nth]![first + each] = dot(row, values, each * view.columns);
    });
  }
  return result;
}

/** x / sqrt(mean(x^2) + epsilon) * weight, of the first values that there are weights for; what is behind them stays. */
export async function norm(x: Matrix64, weight: TensorView, epsilon: number): Promise<Matrix64> {
  const weights = await weight.read(0, 1);
  return x.map((row) => {
    const size = Math.sqrt(row.subarray(0, weights.length).reduce((sum, value) => sum + value * value, 0) / weights.length + epsilon);
    return row.map((value, index) => (index < weights.length ? (value / size) * weights[index]! : value));
  });
}

/** down(silu(gate x) * up x), some of its columns. */
export async function feedForward(x: Matrix64, { gate, up, down }: FeedForwardWeights, { dtype, columns }: { readonly dtype: WeightDtype; readonly columns: readonly number[] }): Promise<Matrix64> {
  const [gates, ups] = [await product(x, gate, { dtype }), await product(x, up, { dtype })];
  const inner = gates.map((row, nth) => row.map((value, index) => (value / (1 + Math.exp(-value))) * ups[nth]![index]!));
  return product(inner, down, { dtype, rows: columns });
}

export interface Angles {
  /** [tokens, rotarySize / 2] each. */
  readonly cos: Float32Array;
  readonly sin: Float32Array;
}

/** What latent attention makes of the normed rows of one sequence, from its first token on: keys and values of each head made, nothing absorbed. */
export async function latentAttention(x: Matrix64, weights: LatentAttentionWeights, { attention, angles, dtype }: { readonly attention: LatentAttention; readonly angles: Angles; readonly dtype: QuantisedDtype }): Promise<Matrix64> {
  const { queryLatent, query, keyValueDown, latentNorm, keyValueUp, output } = weights;
  assert(queryLatent !== null && attention.rotaryPairs === 'interleaved', 'the reference is of models with latents of queries and neighbouring pairs');
  const { headCount, plainSize, rotarySize, valueSize, latentRank, normEpsilon } = attention;
  const queries = await product(await norm(await product(x, queryLatent.down, { dtype }), queryLatent.norm, normEpsilon), query, { dtype });
  const latents = await norm(await product(x, keyValueDown, { dtype }), latentNorm, normEpsilon);
  const rotated = latents.map((row, token) => turned(row.subarray(latentRank), angles, token));
  const attended = x.map(() => new Float64Array(headCount * valueSize));
  for (let head = 0; head < headCount; head++) {
    const up = await keyValueUp.read(head * (plainSize + valueSize), plainSize + valueSize);
    const keys = plainKeys(latents, up, { plainSize, latentRank, dtype });
    const values = meant(up.subarray(plainSize * latentRank), latentRank, dtype);
    queries.forEach((row, token) => {
      const own = row.subarray(head * (plainSize + rotarySize), (head + 1) * (plainSize + rotarySize));
      const turnedQuery = turned(own.subarray(plainSize), angles, token);
      const scores = Array.from({ length: token + 1 }, (_, at) => scoreFactorOf(attention) * (inner(own.subarray(0, plainSize), keys[at]!) + inner(turnedQuery, rotated[at]!)));
      const mixed = new Float64Array(latentRank);
      softmax(scores).forEach((share, at) => mixed.forEach((_, index) => (mixed[index]! += share * latents[at]![index]!)));
      for (let index = 0; index < valueSize; index++) attended[token]![head * valueSize + index] = dot(mixed, values, index * latentRank);
    });
  }
  return product(attended, output, { dtype });
}

/** A head's keys without their rotated part. Their matrix is quantised along what it makes: it is stored turned, for queries. */
function plainKeys(latents: Matrix64, up: Float32Array, { plainSize, latentRank, dtype }: { readonly plainSize: number; readonly latentRank: number; readonly dtype: QuantisedDtype }): Matrix64 {
  const stored = meant(Float32Array.from({ length: latentRank * plainSize }, (_, index) => up[(index % plainSize) * latentRank + Math.floor(index / plainSize)]!), plainSize, dtype);
  return latents.map((latent) => {
    const key = new Float64Array(plainSize);
    for (let index = 0; index < stored.length; index++) key[index % plainSize]! += latent[Math.floor(index / plainSize)]! * stored[index]!;
    return key;
  });
}

/** Values 2i and 2i + 1 by angle i of the token. */
function turned(values: Float64Array, { cos, sin }: Angles, token: number): Float64Array {
  const half = values.length / 2;
  return values.map((value, index) => {
    const angle = token * half + (index >> 1);
    const other = values[index ^ 1]!;
    return value * cos[angle]! + (index % 2 === 0 ? -other : other) * sin[angle]!;
  });
}

const inner = (one: Float64Array, other: Float64Array): number => one.reduce((sum, value, index) => sum + value * other[index]!, 0);

function softmax(scores: readonly number[]): number[] {
  const largest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
