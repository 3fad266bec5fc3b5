import { assert, type ModelSpec, rotarySizeOf } from '@essaim/core';
import { groupedQueryOf } from '@essaim/graph';
import { type KvBuffer, type KvLayout, kvLayoutOf, kvView } from '@essaim/kv';
import { type Slice } from '@essaim/quantise';
import { type RopeAngles, type Visibility, visibilityOf } from '@essaim/runner';
import { OnnxSession } from './onnx-session.ts';

export interface ModelSliceOptions {
  readonly spec: ModelSpec;
  readonly slice: Slice;
  /** Inside one operator. */
  readonly threads: number;
}

/** Consecutive tokens of one sequence within the rows of a step. */
export interface SliceSpan {
  readonly buffer: KvBuffer;
  readonly row: number;
  readonly count: number;
  /** Position of the first one. */
  readonly first: number;
}

export interface SliceStep {
  readonly angles: RopeAngles;
  readonly spans: readonly SliceSpan[];
  /** See `AttentionStep.even`. */
  readonly even: boolean;
  /** Of each span. */
  readonly visibilities: readonly Visibility[];
}

/** What each span sees. */
export const visibilitiesOf = (spec: ModelSpec, spans: readonly Pick<SliceSpan, 'first' | 'count'>[], even: boolean): Visibility[] =>
  spans.map(({ first, count }) => visibilityOf(first, count, { slidingWindow: groupedQueryOf(spec).slidingWindow, fromStart: even }));

/** One thread's part of a model: its sessions, and what they compute. What the slices return of a layer is summed by who asked. Owns the sessions. */
export class ModelSlice {
  readonly #spec: ModelSpec;
  readonly #slice: Slice;
  readonly #threads: number;
  readonly #kvLayout: KvLayout<'f32'>;
  readonly #sessions = new Map<string, OnnxSession>();

  constructor({ spec, slice, threads }: ModelSliceOptions) {
    this.#spec = spec;
    this.#slice = slice;
    this.#threads = threads;
    this.#kvLayout = kvLayoutOf(spec, 'f32', slice.of);
  }

  /** By the piece's name. */
  async load(name: string, modelFile: string): Promise<void> {
    this.#sessions.set(name, await OnnxSession.load(modelFile, { threads: this.#threads }));
  }

  async unload(name: string): Promise<void> {
    const session = this.#sessions.get(name);
    this.#sessions.delete(name);
    await session?.release();
  }

  async close(): Promise<void> {
    for (const name of [...this.#sessions.keys()]) await this.unload(name);
  }

  session(name: string): OnnxSession {
    const session = this.#sessions.get(name);
    assert(session, `${name} is loaded before it runs`);
    return session;
  }

  /** hidden [rows, hidden] -> this slice's part of what attention adds to it, [rows, hidden]. Writes the rows' keys and values. */
  async attend(layer: number, hidden: Float32Array, step: SliceStep): Promise<Float32Array> {
    const { query, key, value } = await this.#project(layer, hidden, step.angles);
    const attended = new Float32Array(query.length);
    const rows = hidden.length / this.#spec.hiddenSize;
    const [queryWidth, keyWidth, valueWidth] = [query.length / rows, key.length / rows, value.length / rows];
    // All are asked for before the first is awaited: the runs of one turn of the event loop cost one turn.
    await Promise.all(step.spans.map(async ({ buffer, row, count, first }, nth) => {
      const { keys, values } = kvView(buffer, this.#kvLayout, { layer, slice: this.#slice.index });
      keys.set(key.subarray(row * keyWidth, (row + count) * keyWidth), first * keyWidth);
      values.set(value.subarray(row * valueWidth, (row + count) * valueWidth), first * valueWidth);
      const { start, end, mask } = step.visibilities[nth]!;
      const seen = { keys: keys.subarray(start * keyWidth, end * keyWidth), values: values.subarray(start * valueWidth, end * valueWidth), length: end - start, mask };
      attended.set(await this.#attendOne(query.subarray(row * queryWidth, (row + count) * queryWidth), count, seen, step.even), row * queryWidth);
    }));
    const { added } = await this.session(`output.${layer}`).run({ attended: { data: attended, dims: [1, rows, queryWidth] } });
    return added!;
  }

  /** Activations [rows, hidden] through experts, or a dense layer's network, by name -> this slice's part of each output, [rows, hidden]. */
  feedForward(groups: readonly { readonly name: string; readonly activations: Float32Array }[]): Promise<Float32Array[]> {
    const { hiddenSize } = this.#spec;
    return Promise.all(groups.map(async ({ name, activations }) => {
      const { output } = await this.session(name).run({ input: { data: activations, dims: [activations.length / hiddenSize, hiddenSize] } });
      return output!;
    }));
  }

  /** hidden [rows, hidden] -> the logits of this slice's part of the vocabulary, [rows, part]. */
  async head(hidden: Float32Array): Promise<Float32Array> {
    const { hiddenSize } = this.#spec;
    const { logits } = await this.session('head').run({ hidden: { data: hidden, dims: [hidden.length / hiddenSize, hiddenSize] } });
    return logits!;
  }

  async #project(layer: number, hidden: Float32Array, { cos, sin, queryScale }: RopeAngles): Promise<{ readonly query: Float32Array; readonly key: Float32Array; readonly value: Float32Array }> {
    const { hiddenSize, attention } = this.#spec;
    const rows = hidden.length / hiddenSize;
    const angles = [1, rows, rotarySizeOf(attention) / 2];
    const { query, key, value } = await this.session(`pre.${layer}`).run({
      hidden: { data: hidden, dims: [rows, hiddenSize] }, cos: { data: cos, dims: angles }, sin: { data: sin, dims: angles },
      ...(queryScale !== null && { queryScale: { data: queryScale, dims: [1, rows, 1] } }),
    });
    return { query: query!, key: key!, value: value! };
  }

  /**
   * A single query takes another path through the kernels than several, one that rounds differently. Where the same token must come out
   * of a prompt and of a decoding step, it is accompanied by a row of zeros.
   */
  async #attendOne(query: Float32Array, count: number, seen: Seen, even: boolean): Promise<Float32Array> {
    if (count > 1 || !even) return this.#runAttention(query, count, seen);
    const padded = new Float32Array(2 * query.length);
    padded.set(query);
    const mask = new Float32Array(2 * seen.length);
    if (seen.mask !== null) mask.set(seen.mask);
    return (await this.#runAttention(padded, 2, { ...seen, mask })).subarray(0, query.length);
  }

  async #runAttention(query: Float32Array, count: number, { keys, values, length, mask }: Seen): Promise<Float32Array> {
    const inputs = {
      query: { data: query, dims: [1, count, query.length / count] },
      key: { data: keys, dims: [1, length, keys.length / length] },
      value: { data: values, dims: [1, length, values.length / length] },
    };
    const { attended } = await (mask === null ? this.session('attention').run(inputs) : this.session('attention.masked').run({ ...inputs, mask: { data: mask, dims: [count, length] } }));
    return attended!;
  }
}

/** What some queries look at: [length, width] each, and which of it they see, [queries, length]. */
interface Seen {
  readonly keys: Float32Array;
  readonly values: Float32Array;
  readonly length: number;
  readonly mask: Float32Array | null;
}
