import { type Tensor } from 'onnxruntime-node';
import { type ModelSpec, rotarySizeOf, scoreFactorOf } from '@essaim/core';
import { type AttentionStep, type RopeAngles, visibilityOf } from '@essaim/runner';
import { type Feeds, floats } from './device-session.ts';
import { type PlainGraphs } from './plain-graphs.ts';

/** What all layers of a step are told, on the device once. */
export class StepInputs {
  /** By the names that the graph before attention has for them. */
  readonly angles: Feeds;
  /** Of each sequence what tells which tokens its rows see; null for a single row that sees all. */
  readonly masks: readonly (Tensor | null)[];
  readonly #owned: readonly Tensor[];

  private constructor(angles: Feeds, masks: readonly (Tensor | null)[], owned: readonly Tensor[]) {
    this.angles = angles;
    this.masks = masks;
    this.#owned = owned;
  }

  static async open(spec: ModelSpec, { angles, spans }: AttentionStep, graphs: PlainGraphs): Promise<StepInputs> {
    const owned: Tensor[] = [];
    const put = async (values: readonly Tensor[]): Promise<readonly Tensor[]> => {
      const copy = await graphs.copy(values.map(({ dims }) => dims.length));
      const copies = await copy.run(Object.fromEntries(values.map((value, nth) => [`values.${nth}`, value])));
      const inOrder = values.map((_, nth) => copies[`output.${nth}`]!);
      owned.push(...inOrder);
      return inOrder;
    };
    const named = Object.entries(anglesOf(spec, angles));
    const angleTensors = await put(named.map(([, tensor]) => tensor));
    const masks: (Tensor | null)[] = [];
    for (const { count, cache: { length } } of spans) {
      const { mask, end: seen } = visibilityOf(length, count, { slidingWindow: spec.attention.kind === 'gqa' ? spec.attention.slidingWindow : null, fromStart: true });
      masks.push(mask === null ? null : (await put([floats(mask, [count, seen])]))[0]!);
    }
    return new StepInputs(Object.fromEntries(named.map(([name], nth) => [name, angleTensors[nth]!])), masks, owned);
  }

  release(): void {
    for (const tensor of this.#owned) tensor.dispose();
  }
}

/** On the host. */
function anglesOf({ attention }: ModelSpec, { cos, sin, queryScale }: RopeAngles): Feeds {
  const width = rotarySizeOf(attention) / 2;
  const rows = cos.length / width;
  const dims = [1, rows, width];
  const turns = { cos: floats(cos, dims), sin: floats(sin, dims) };
  if (attention.kind === 'mla') return { ...turns, ...(queryScale !== null && { queryScale: floats(queryScale, [1, rows, 1]) }) };
  const ofQueries = (values: Float32Array): Tensor => floats(values.map((value, index) => value * scoreFactorOf(attention) * (queryScale?.[Math.floor(index / width)] ?? 1)), dims);
  return { ...turns, queryCos: ofQueries(cos), querySin: ofQueries(sin) };
}
