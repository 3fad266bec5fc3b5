import { type Tensor } from 'onnxruntime-node';
import { type ModelSpec, rotarySizeOf } from '@essaim/core';
import { type AttentionStep, visibilityOf } from '@essaim/runner';
import { type Feeds, floats, longs } from './device-session.ts';
import { type PlainGraphs } from './plain-graphs.ts';

/** What all layers of a step are told, on the device once. */
export class StepInputs {
  /** cos and sin, and what scales queries. */
  readonly angles: Feeds;
  /** Of each sequence: its rows, and what tells which tokens they see. By the names of `amongGraph`, without the sequence's number. */
  readonly spans: readonly Feeds[];
  readonly #owned: readonly Tensor[];

  private constructor(angles: Feeds, spans: readonly Feeds[], owned: readonly Tensor[]) {
    this.angles = angles;
    this.spans = spans;
    this.#owned = owned;
  }

  static async open(spec: ModelSpec, { angles: { cos, sin, queryScale }, spans }: AttentionStep, graphs: PlainGraphs): Promise<StepInputs> {
    const owned: Tensor[] = [];
    const put = async (values: Float32Array, dims: readonly number[]): Promise<Tensor> => {
      const { output } = await (await graphs.copy(dims.length)).run({ values: floats(values, dims) });
      owned.push(output!);
      return output!;
    };
    const width = rotarySizeOf(spec.attention) / 2;
    const rows = cos.length / width;
    const angles = {
      cos: await put(cos, [1, rows, width]), sin: await put(sin, [1, rows, width]),
      ...(queryScale !== null && { queryScale: await put(queryScale, [1, rows, 1]) }),
    };
    const ofSpans: Feeds[] = [];
    for (const { row, count, cache: { length } } of spans) {
      const { mask, end: seen } = visibilityOf(length, count, { slidingWindow: spec.attention.kind === 'gqa' ? spec.attention.slidingWindow : null, fromStart: true });
      ofSpans.push({ begin: longs([row]), end: longs([row + count]), mask: await put(mask ?? new Float32Array(count * seen), [count, seen]) });
    }
    return new StepInputs(angles, ofSpans, owned);
  }

  release(): void {
    for (const tensor of this.#owned) tensor.dispose();
  }
}
