import { assert, type FeedForwardWeights, type LatentAttention, type LatentAttentionWeights, type ModelSpec, type ModelWeights, scoreFactorOf, type TensorView } from '@essaim/core';
import { type ExpertGroup, type ExpertRunner } from '@essaim/dispatch';
import { type Attended, type AttentionSpan, type AttentionStep, type ModelPieces } from '@essaim/runner';
import { dot, joined, softmax } from './plain-math.ts';

/** A matrix or a vector in memory, row by row. */
interface Values extends Pick<TensorView, 'rows' | 'columns'> {
  readonly floats: Float32Array;
}

interface LatentLayer {
  readonly layer: number;
  readonly own: LatentAttentionWeights;
  readonly shape: LatentAttention;
}

/**
 * The pieces of a model with latent attention, in plain loops over float64: what kernels must compute, and slow. All but the sums of single
 * rows is the engine's own: which weights have which role, positions, where keys are kept, routing, what is added to what.
 */
export class PlainLatentModel implements ModelPieces, ExpertRunner {
  readonly #spec: ModelSpec;
  readonly #weights: ModelWeights;
  readonly #read = new Map<TensorView, Values>();

  constructor(spec: ModelSpec, weights: ModelWeights) {
    this.#spec = spec;
    this.#weights = weights;
  }

  async embed(tokenIds: readonly number[]): Promise<Float32Array> {
    const table = await this.#values(this.#weights.embedding);
    return joined(tokenIds.map((id) => rowOf(table, id)));
  }

  async attend(layer: number, hidden: Float32Array, step: AttentionStep): Promise<Attended> {
    const { inputNorm, attention, postAttentionNorm, feedForward } = this.#weights.layers[layer]!;
    assert(attention.kind === 'mla' && this.#spec.attention.kind === 'mla', 'the model has latent attention');
    const input = await this.#normed(inputNorm, this.#rows(hidden));
    const added: Float32Array[] = [];
    for (const span of step.spans) added.push(...(await this.#attendSpan({ layer, own: attention, shape: this.#spec.attention }, input, span, step)));
    const next = hidden.map((value, index) => value + added[Math.floor(index / this.#spec.hiddenSize)]![index % this.#spec.hiddenSize]!);
    const normed = await this.#normed(postAttentionNorm, this.#rows(next));
    if (feedForward.kind === 'dense') return { next, normed: joined(normed), routerLogits: null };
    const bias = feedForward.correctionBias === null ? {} : { correctionBias: (await this.#values(feedForward.correctionBias)).floats };
    return { next, normed: joined(normed), routerLogits: joined(await this.#linear(feedForward.router, normed)), ...bias };
  }

  async dense(layer: number, activations: Float32Array): Promise<Float32Array> {
    const { feedForward } = this.#weights.layers[layer]!;
    const network = feedForward.kind === 'dense' ? feedForward : feedForward.shared;
    assert(network, 'the layer has a network that every token passes');
    return this.#network(network, activations);
  }

  async head(hidden: Float32Array): Promise<Float32Array> {
    return joined(await this.#linear(this.#weights.head, await this.#normed(this.#weights.finalNorm, this.#rows(hidden))));
  }

  holds(): boolean {
    return true;
  }

  run(layer: number, groups: readonly ExpertGroup[]): Promise<Float32Array[]> {
    const { feedForward } = this.#weights.layers[layer]!;
    assert(feedForward.kind === 'moe', 'only routed layers have experts');
    return Promise.all(groups.map(({ expert, activations }) => this.#network(feedForward.experts[expert]!, activations)));
  }

  /** What attention adds to each row of a span. In its absorbed form: keys and values of heads are never made, queries meet the latents. */
  async #attendSpan({ layer, own, shape }: LatentLayer, input: readonly Float32Array[], { cache, row, count }: AttentionSpan, { angles }: AttentionStep): Promise<Float32Array[]> {
    const { headCount, latentRank, plainSize, rotarySize, valueSize } = shape;
    const rows = input.slice(row, row + count);
    const turn = (values: Float32Array, nth: number): Float32Array => turned(values, shape, { cos: angles.cos, sin: angles.sin, at: ((row + nth) * rotarySize) / 2 });
    const down = await this.#linear(own.keyValueDown, rows);
    const latents = await this.#normed(own.latentNorm, down.map((values) => values.subarray(0, latentRank)), shape.normEpsilon);
    cache.append(layer, count, { keys: joined(down.flatMap((values, nth) => [latents[nth]!, turn(values.subarray(latentRank), nth)])), values: new Float32Array(0) });
    const up = await this.#values(own.keyValueUp);
    const attended = (await this.#queries(own, rows, shape)).map((query, nth) => {
      const keys = Array.from({ length: cache.length + nth + 1 }, (_, position) => cache.keys(layer, position, position + 1));
      const scale = scoreFactorOf(shape) * (angles.queryScale?.[row + nth] ?? 1);
      const queryWidth = plainSize + rotarySize;
      return joined(Array.from({ length: headCount }, (_, head) => {
        const mine = query.subarray(head * queryWidth, (head + 1) * queryWidth);
        const upRow = (index: number): Float32Array => rowOf(up, head * (plainSize + valueSize) + index);
        return attendHead({ plain: mine.subarray(0, plainSize), rotated: turn(mine.subarray(plainSize), nth), scale }, keys, upRow, shape);
      }));
    });
    return this.#linear(own.output, attended);
  }

  async #queries({ queryLatent, query }: LatentAttentionWeights, rows: readonly Float32Array[], { normEpsilon }: LatentAttention): Promise<Float32Array[]> {
    if (queryLatent === null) return this.#linear(query, rows);
    return this.#linear(query, await this.#normed(queryLatent.norm, await this.#linear(queryLatent.down, rows), normEpsilon));
  }

  async #network({ gate, up, down }: FeedForwardWeights, activations: Float32Array): Promise<Float32Array> {
    const rows = this.#rows(activations);
    const [opened, raised] = [await this.#linear(gate, rows), await this.#linear(up, rows)];
    return joined(await this.#linear(down, opened.map((values, row) => values.map((value, index) => (value / (1 + Math.exp(-value))) * raised[row]![index]!))));
  }

  async #linear(view: TensorView, rows: readonly Float32Array[]): Promise<Float32Array[]> {
    const matrix = await this.#values(view);
    return rows.map((row) => Float32Array.from({ length: matrix.rows }, (_, index) => dot(rowOf(matrix, index), row)));
  }

  async #normed(view: TensorView, rows: readonly Float32Array[], epsilon = this.#spec.normEpsilon): Promise<Float32Array[]> {
    const weight = await this.#values(view);
    return rows.map((row) => {
      const size = Math.sqrt(dot(row, row) / row.length + epsilon);
      return row.map((value, index) => (value / size) * weight.floats[index]!);
    });
  }

  #rows(matrix: Float32Array): Float32Array[] {
    const { hiddenSize } = this.#spec;
    return Array.from({ length: matrix.length / hiddenSize }, (_, row) => matrix.subarray(row * hiddenSize, (row + 1) * hiddenSize));
  }

  async #values(view: TensorView): Promise<Values> {
    const known = this.#read.get(view) ?? { rows: view.rows, columns: view.columns, floats: await view.read(0, view.rows) };
    this.#read.set(view, known);
    return known;
  }
}

const rowOf = ({ floats, columns }: Values, row: number): Float32Array => floats.subarray(row * columns, (row + 1) * columns);

interface HeadQuery {
  readonly plain: Float32Array;
  readonly rotated: Float32Array;
  readonly scale: number;
}

/** What one head takes of the positions that `keys` are of. `upRow` gives the rows that make its key, [plainSize], and behind them its value, [valueSize]. */
function attendHead({ plain, rotated, scale }: HeadQuery, keys: readonly Float32Array[], upRow: (index: number) => Float32Array, { latentRank, plainSize, valueSize }: LatentAttention): Float32Array {
  const channels = Array.from({ length: latentRank }, (_, channel) => channel);
  const absorbed = Float64Array.from(channels, (channel) => plain.reduce((sum, value, index) => sum + value * upRow(index)[channel]!, 0));
  const chances = softmax(keys.map((key) => scale * (dot(absorbed, key) + dot(rotated, key.subarray(latentRank)))));
  const mixed = Float64Array.from(channels, (channel) => keys.reduce((sum, key, position) => sum + chances[position]! * key[channel]!, 0));
  return Float32Array.from({ length: valueSize }, (_, index) => dot(upRow(plainSize + index), mixed));
}

/** Pairs of the rotated part, each by the angle at `at` and on. */
function turned(values: Float32Array, { rotaryPairs }: LatentAttention, { cos, sin, at }: { readonly cos: Float32Array; readonly sin: Float32Array; readonly at: number }): Float32Array {
  const half = values.length / 2;
  const result = new Float32Array(values.length);
  for (let pair = 0; pair < half; pair++) {
    const [first, second] = rotaryPairs === 'interleaved' ? [2 * pair, 2 * pair + 1] : [pair, pair + half];
    result[first] = values[first]! * cos[at + pair]! - values[second]! * sin[at + pair]!;
    result[second] = values[second]! * cos[at + pair]! + values[first]! * sin[at + pair]!;
  }
  return result;
}
