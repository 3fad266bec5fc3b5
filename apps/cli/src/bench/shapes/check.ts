import { AppError, assert, type ModelSpec, type ModelWeights } from '@essaim/core';
import { type KernelModel } from '@essaim/kernels';
import { KvPool, kvLayoutOf } from '@essaim/kv';
import { RopeTable } from '@essaim/runner';
import { type QuantisedDtype } from '@essaim/quantise';
import { feedForward, latentAttention, type Matrix64, norm, product } from './reference.ts';

/** Rounding of activations to 8 bits gives a hundredth; a value from another place would give more than one. */
const LARGEST_ERROR = 0.05;
const COLUMNS = 64;

export interface Checked {
  readonly embedding: number;
  readonly attention: number;
  readonly shared: number;
  readonly experts: number;
  readonly head: number;
}

interface CheckOptions {
  readonly model: KernelModel;
  readonly spec: ModelSpec;
  readonly weights: ModelWeights;
  readonly dtype: QuantisedDtype;
  /** Experts that are loaded: the first so many. */
  readonly experts: number;
}

/**
 * Three tokens through every piece, against float64 made from the same rows: of each piece the root mean square of the difference over that of
 * the values. Fails with `internal` where one is large.
 */
export async function check(options: CheckOptions): Promise<Checked> {
  const { model, spec, weights, dtype, experts } = options;
  const { hiddenSize, vocabSize, attention, normEpsilon, feedForward: { kind } } = spec;
  const layer = weights.layers[0]!;
  assert(attention.kind === 'mla' && layer.attention.kind === 'mla' && layer.feedForward.kind === 'moe' && kind === 'moe', 'these shapes have latent attention and experts');
  const ids = [0, vocabSize >> 1, vocabSize - 1];
  const hidden = await model.embed(ids);
  const embedding = worst('the embedding', toRows(hidden, hiddenSize), await Promise.all(ids.map(async (id) => Float64Array.from(await weights.embedding.read(id, 1)))), 0);

  const angles = new RopeTable(spec).rows(ids.map((_, position) => position));
  const pool = new KvPool(kvLayoutOf(spec), 1 << 30, model.kvMemory);
  const cache = pool.reserve(ids.length)!;
  cache.prepare(ids.length);
  const attended = await model.attend(0, hidden, { angles, even: false, spans: [{ cache, row: 0, count: ids.length }] });
  cache.release();
  const added = await latentAttention(await norm(toRows(hidden, hiddenSize), layer.inputNorm, normEpsilon), layer.attention, { attention, angles, dtype });
  const next = toRows(attended.next, hiddenSize);
  const expected = toRows(hidden, hiddenSize).map((row, token) => row.map((value, index) => value + added[token]![index]!));
  const contribution = next.map((row, token) => row.map((value, index) => value - hidden[token * hiddenSize + index]!));
  const router = await product(await norm(expected, layer.postAttentionNorm, normEpsilon), layer.feedForward.router, { dtype: 'float32' });
  const ofAttention = Math.max(worst('attention', contribution, added), worst('the router', toRows(attended.routerLogits!, layer.feedForward.router.rows), router));

  const normed = toRows(attended.normed, hiddenSize);
  const columns = spread(hiddenSize, COLUMNS);
  const shared = worst('the shared expert', pick(toRows(await model.dense(0, attended.normed), hiddenSize), columns), await feedForward(normed, layer.feedForward.shared!, { dtype, columns }));
  let ofExperts = 0;
  for (const expert of spread(experts, 3)) {
    const [output] = await model.run(0, [{ expert, activations: attended.normed }]);
    ofExperts = Math.max(ofExperts, worst(`expert ${expert}`, pick(toRows(output!, hiddenSize), columns), await feedForward(normed, layer.feedForward.experts[expert]!, { dtype, columns })));
  }

  const rows = spread(vocabSize, COLUMNS);
  const logits = await product(await norm(next, weights.finalNorm, normEpsilon), weights.head, { dtype, rows });
  const head = worst('the head', pick(toRows(await model.head(attended.next), vocabSize), rows), logits);
  return { embedding, attention: ofAttention, shared, experts: ofExperts, head };
}

/** So many numbers below `total`, evenly from 0 to the last. */
function spread(total: number, count: number): number[] {
  return [...new Set(Array.from({ length: count }, (_, nth) => Math.round((nth * (total - 1)) / (count - 1))))];
}

const toRows = (values: Float32Array, width: number): Matrix64 => Array.from({ length: values.length / width }, (_, row) => Float64Array.from(values.subarray(row * width, (row + 1) * width)));
const pick = (rows: Matrix64, columns: readonly number[]): Matrix64 => rows.map((row) => Float64Array.from(columns, (column) => row[column]!));

/** Of the rows, the largest share that differs. */
function worst(what: string, actual: Matrix64, expected: Matrix64, most = LARGEST_ERROR): number {
  const shares = expected.map((row, nth) => Math.sqrt(sum(row, (value, index) => (value - actual[nth]![index]!) ** 2) / sum(row, (value) => value * value)));
  const largest = Math.max(...shares);
  if (!(largest <= most)) throw new AppError('internal', `${what} computes something else than its weights mean: ${(100 * largest).toFixed(1)} % of its output differ. Report this, with the machine's processor`);
  return largest;
}

const sum = (row: Float64Array, of: (value: number, index: number) => number): number => row.reduce((total, value, index) => total + of(value, index), 0);
