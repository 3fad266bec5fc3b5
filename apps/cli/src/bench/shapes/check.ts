import { AppError, assert, type LatentAttention, type LatentAttentionWeights, type ModelSpec, type ModelWeights, type RoutedWeights } from '@essaim/core';
import { type KernelModel } from '@essaim/kernels';
import { type QuantisedDtype } from '@essaim/quantise';
import { type Attended } from '@essaim/runner';
import { AttentionRuns } from './attention-runs.ts';
import { feedForward, latentAttention, type Matrix64, norm, product } from './reference.ts';

/** Rounding of activations to 8 bits gives a hundredth; values from another place would give more than one. */
const LARGEST_ERROR = 0.05;
/** Of what is computed in float32. */
const EXACT_ERROR = 1e-4;
/** Past the original context, where queries are scaled. */
const LATE_POSITION = 8192;
/** Rows for which keys and values are made, and where they begin: no whole chunk. */
const PROMPT = { rows: 64, position: 100 };
/** Of the rows of attention, which are compared: the last ones see most. */
const COMPARED_ROWS = 3;
/** Of those that are loaded: from one end to the other, whichever memory they lie in; each takes two seconds. */
const CHECKED_EXPERTS = 32;
/** Of a result that are compared where all would take minutes. */
const COLUMNS = 64;

/** Of each part the root mean square of the difference to float64, over that of the values, in the worst row. */
export interface Checked {
  readonly embedding: number;
  readonly attention: number;
  readonly shared: number;
  readonly experts: number;
  readonly head: number;
}

export interface CheckOptions {
  readonly model: KernelModel;
  readonly spec: ModelSpec;
  readonly weights: ModelWeights;
  readonly dtype: QuantisedDtype;
  /** Experts that are loaded: the first so many. */
  readonly experts: number;
}

/** Three tokens through every part, one behind many and some at once, against float64 made from the same rows. Fails with `internal` where a part computes something else. */
export async function check(options: CheckOptions): Promise<Checked> {
  const layer = new LayerCheck(options);
  const { model, spec: { hiddenSize, vocabSize, normEpsilon }, weights, dtype, experts } = options;
  const ids = [0, vocabSize >> 1, vocabSize - 1];
  const hidden = await model.embed(ids);
  const embedding = worst('the embedding', toRows(hidden, hiddenSize), await Promise.all(ids.map(async (id) => Float64Array.from(await weights.embedding.read(id, 1)))), 0);
  const first = await layer.attention(0, hidden);
  const late = await layer.attention(LATE_POSITION, hidden.slice(0, hiddenSize));
  const prompt = await layer.attention(PROMPT.position, await model.embed(spread(vocabSize, PROMPT.rows)));
  const { normed, next } = first.attended;
  const shared = await layer.shared(normed);
  const ofExperts: number[] = [];
  for (const expert of spread(experts, Math.min(experts, CHECKED_EXPERTS))) ofExperts.push(await layer.expert(expert, normed));
  const columns = spread(vocabSize, COLUMNS);
  const logits = await product(await norm(toRows(next, hiddenSize), weights.finalNorm, normEpsilon), weights.head, { dtype, rows: columns });
  const head = worst('the head', pick(toRows(await model.head(next), vocabSize), columns), logits);
  return { embedding, attention: Math.max(first.error, late.error, prompt.error), shared, experts: Math.max(...ofExperts), head };
}

/** The parts of the one layer. */
class LayerCheck {
  readonly #options: CheckOptions;
  readonly #runs: AttentionRuns;
  readonly #shape: LatentAttention;
  readonly #attention: LatentAttentionWeights;
  readonly #routed: RoutedWeights;

  constructor(options: CheckOptions) {
    const { model, spec, weights } = options;
    const { attention, feedForward: routed } = weights.layers[0]!;
    assert(spec.attention.kind === 'mla' && attention.kind === 'mla' && routed.kind === 'moe', 'these shapes have latent attention and experts');
    [this.#options, this.#shape, this.#attention, this.#routed] = [options, spec.attention, attention, routed];
    this.#runs = new AttentionRuns(model, spec);
  }

  /** Of the last of rows [tokens, hidden] behind so many others: all that attention adds to them, and what the router says of the sum. */
  attention(known: number, hidden: Float32Array): Promise<{ readonly attended: Attended; readonly error: number }> {
    const { spec: { hiddenSize, normEpsilon }, weights, dtype } = this.#options;
    const { inputNorm, postAttentionNorm } = weights.layers[0]!;
    const count = hidden.length / hiddenSize;
    const last = Math.min(count, COMPARED_ROWS);
    return this.#runs.behind({ known, count }, async ({ angles, keys, attend }) => {
      const attended = await attend(hidden);
      const before = toRows(hidden, hiddenSize);
      const next = toRows(attended.next, hiddenSize).slice(-last);
      const added = next.map((row, nth) => row.map((value, index) => value - before[count - last + nth]![index]!));
      const form = count < PROMPT.rows ? 'absorbed' : 'expanded';
      const expected = await latentAttention(await norm(before, inputNorm, normEpsilon), this.#attention, { attention: this.#shape, angles, dtype, keys, form, last });
      const error = worst(`attention behind ${known} tokens`, added, expected);
      const router = await product(await norm(next, postAttentionNorm, normEpsilon), this.#routed.router, { dtype: 'float32' });
      return { attended, error: Math.max(error, worst('the router', toRows(attended.routerLogits!, this.#routed.router.rows).slice(-last), router, EXACT_ERROR)) };
    });
  }

  async shared(normed: Float32Array): Promise<number> {
    return this.#network('the shared expert', this.#routed.shared!, normed, await this.#options.model.dense(0, normed));
  }

  async expert(expert: number, normed: Float32Array): Promise<number> {
    const [output] = await this.#options.model.run(0, [{ expert, activations: normed }]);
    return this.#network(`expert ${expert}`, this.#routed.experts[expert]!, normed, output!);
  }

  async #network(what: string, network: RoutedWeights['experts'][number], normed: Float32Array, output: Float32Array): Promise<number> {
    const { spec: { hiddenSize }, dtype } = this.#options;
    const columns = spread(hiddenSize, COLUMNS);
    return worst(what, pick(toRows(output, hiddenSize), columns), await feedForward(toRows(normed, hiddenSize), network, { dtype, columns }));
  }
}

/** So many numbers below `total`, evenly from 0 to the last. */
function spread(total: number, count: number): number[] {
  return [...new Set(Array.from({ length: count }, (_, nth) => Math.round((nth * (total - 1)) / Math.max(1, count - 1))))];
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
