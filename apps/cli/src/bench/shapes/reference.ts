import { assert, type FeedForwardWeights, type LatentAttention, type LatentAttentionWeights, scoreFactorOf, type TensorView, type WeightDtype } from '@essaim/core';
import { type RopeAngles } from '@essaim/runner';
import { BLOCK_SIZE, bytesPerBlock, blocksPerRow, type QuantisedDtype, quantiseRows } from '@essaim/quantise';

/** What kernels should compute, in float64 and plain loops, with the values that quantised weights mean: nothing here knows how they lie in memory. */

/** [rows][width] */
export type Matrix64 = readonly Float64Array[];

const CHUNK_ROWS = 256;

/** Rows that are quantised, and back. */
function meant(values: Float32Array, columns: number, dtype: QuantisedDtype): Float32Array {
  const { codes, scales } = quantiseRows(values, { columns, dtype, scales: 'bf16' });
  const [blocks, bytes] = [blocksPerRow(columns), bytesPerBlock(dtype)];
  const result = new Float32Array(values.length);
  for (let start = 0, block = 0; start < values.length; block++) {
    const inRow = Math.min(BLOCK_SIZE, columns * (Math.floor(block / blocks) + 1) - start);
    for (let place = 0; place < inRow; place++) {
      const code = dtype === 'int8' ? codes[block * bytes + place]! - 128 : ((codes[block * bytes + (place >> 1)]! >> (4 * (place & 1))) & 15) - 8;
      result[start + place] = code * scales[block]!;
    }
    start += inRow;
  }
  return result;
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

export interface LatentReference {
  readonly attention: LatentAttention;
  readonly angles: RopeAngles;
  readonly dtype: QuantisedDtype;
  /** [tokens, latentRank + rotarySize]: latents and turned keys of what the sequence has already. */
  readonly keys: Float32Array;
  /** Whether keys are made of latents, or queries turned into what meets latents: what makes a key is quantised along other ways. */
  readonly form: 'absorbed' | 'expanded';
  /** So many of the rows are wanted. */
  readonly last: number;
}

/** What latent attention makes of the last of some normed rows of one sequence, behind those that it has already. */
export async function latentAttention(x: Matrix64, weights: LatentAttentionWeights, { attention, angles, dtype, keys, form, last }: LatentReference): Promise<Matrix64> {
  const { queryLatent, query, keyValueDown, latentNorm, keyValueUp, output } = weights;
  assert(queryLatent !== null && attention.rotaryPairs === 'interleaved', 'the reference is of models with latents of queries and neighbouring pairs');
  const { headCount, plainSize, rotarySize, valueSize, latentRank, normEpsilon } = attention;
  const [headSize, keySize] = [plainSize + rotarySize, latentRank + rotarySize];
  const first = x.length - last;
  const queries = await product(await norm(await product(x.slice(first), queryLatent.down, { dtype }), queryLatent.norm, normEpsilon), query, { dtype });
  const known = Array.from({ length: keys.length / keySize }, (_, token) => Float64Array.from(keys.subarray(token * keySize, (token + 1) * keySize)));
  const own = (await norm(await product(x, keyValueDown, { dtype }), latentNorm, normEpsilon)).map((row, token) => withTurned(row, latentRank, angles, token));
  const seen = [...known, ...own];
  const attended = queries.map(() => new Float64Array(headCount * valueSize));
  for (let head = 0; head < headCount; head++) {
    const up = await keyValueUp.read(head * (plainSize + valueSize), plainSize + valueSize);
    const plain = up.subarray(0, plainSize * latentRank);
    const keyUp = form === 'expanded' ? turnedRound(meant(plain, latentRank, dtype), latentRank) : meant(turnedRound(plain, latentRank), plainSize, dtype);
    const values = meant(up.subarray(plainSize * latentRank), latentRank, dtype);
    queries.forEach((row, nth) => {
      const token = first + nth;
      const asKey = absorbed(row.subarray(head * headSize, (head + 1) * headSize), keyUp, { angles, token, attention });
      const scores = seen.slice(0, known.length + token + 1).map((key) => scoreFactorOf(attention) * inner(asKey, key));
      const mixed = new Float64Array(latentRank);
      for (const [at, share] of softmax(scores).entries()) for (let index = 0; index < latentRank; index++) mixed[index]! += share * seen[at]![index]!;
      for (let index = 0; index < valueSize; index++) attended[nth]![head * valueSize + index] = dot(mixed, values, index * latentRank);
    });
  }
  return product(attended, output, { dtype });
}

interface OfToken {
  readonly angles: RopeAngles;
  readonly token: number;
  readonly attention: LatentAttention;
}

/** A head's query as what a latent and a turned key are multiplied by. keyUp: [latentRank, plainSize]. */
function absorbed(query: Float64Array, keyUp: Float32Array, { angles, token, attention: { plainSize, latentRank } }: OfToken): Float64Array {
  const plain = query.subarray(0, plainSize);
  const result = Float64Array.of(...Array.from({ length: latentRank }, (_, index) => dot(plain, keyUp, index * plainSize)), ...query.subarray(plainSize));
  const scale = angles.queryScale?.[token] ?? 1;
  return withTurned(result, latentRank, angles, token).map((value) => value * scale);
}

/** [rows, columns] to [columns, rows]: what makes keys is stored for queries, and quantised along their values. */
function turnedRound(matrix: Float32Array, columns: number): Float32Array {
  const rows = matrix.length / columns;
  return matrix.map((_, index) => matrix[(index % rows) * columns + Math.floor(index / rows)]!);
}

/** Of the values from `first` on, 2i and 2i + 1 by angle i of the token. */
function withTurned(values: Float64Array, first: number, { cos, sin }: RopeAngles, token: number): Float64Array {
  const half = (values.length - first) / 2;
  return values.map((value, index) => {
    if (index < first) return value;
    const place = index - first;
    const angle = token * half + (place >> 1);
    const other = values[first + (place ^ 1)]!;
    return value * cos[angle]! + (place % 2 === 0 ? -other : other) * sin[angle]!;
  });
}

function inner(one: Float64Array, other: Float64Array): number {
  let sum = 0;
  for (let index = 0; index < one.length; index++) sum += one[index]! * other[index]!;
  return sum;
}

function softmax(scores: readonly number[]): number[] {
  const largest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
