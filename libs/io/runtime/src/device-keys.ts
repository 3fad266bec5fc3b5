import { type Tensor } from 'onnxruntime-node';
import { type ModelSpec } from '@essaim/core';
import { attentionOf } from '@essaim/graph';
import { type DeviceKv } from '@essaim/kv';
import { floats, longs } from './device-session.ts';
import { type PlainGraphs } from './plain-graphs.ts';

/** What a sequence keeps of one layer. The tensors are never written again, so sequences with the same beginning have the same ones. */
interface Kept {
  readonly tensors: readonly Tensor[];
  /** In tokens, of which the sequence's own may be fewer. */
  readonly length: number;
  holders: number;
}

/** Keys and values of all sequences, or their latents, on the device. */
export class DeviceKeys implements DeviceKv {
  readonly #graphs: PlainGraphs;
  readonly #shapes: ReturnType<typeof attentionOf>['kept'];
  readonly #layers: number;
  readonly #of = new Map<object, (Kept | null)[]>();

  constructor(spec: ModelSpec, graphs: PlainGraphs) {
    this.#graphs = graphs;
    this.#shapes = attentionOf(spec).kept;
    this.#layers = spec.layerCount;
  }

  /** What a sequence keeps of its first `length` tokens, one tensor of each kind: valid until `put`. */
  async past(cache: object, layer: number, length: number): Promise<readonly Tensor[]> {
    const kept = this.#of.get(cache)?.[layer] ?? null;
    if (kept === null || length === 0) return this.#shapes.map(({ dims }) => floats(new Float32Array(0), dims));
    if (kept.length === length) return kept.tensors;
    const shorter = await Promise.all(this.#shapes.map(async ({ dims, tokensAxis }, nth) => {
      const graph = await this.#graphs.shorten(dims.length, tokensAxis);
      return (await graph.run({ values: kept.tensors[nth]!, end: longs([length]) }))['output']!;
    }));
    this.put(cache, layer, { tensors: shorter, length });
    return shorter;
  }

  /** In place of what the sequence kept of the layer so far. */
  put(cache: object, layer: number, { tensors, length }: Pick<Kept, 'tensors' | 'length'>): void {
    const layers = this.#layersOf(cache);
    this.#leave(layers[layer]!);
    layers[layer] = { tensors, length, holders: 1 };
  }

  share(from: object, to: object): void {
    const [source, target] = [this.#layersOf(from), this.#layersOf(to)];
    source.forEach((kept, layer) => {
      if (kept !== null) kept.holders++;
      this.#leave(target[layer]!);
      target[layer] = kept;
    });
  }

  drop(cache: object): void {
    for (const kept of this.#of.get(cache) ?? []) this.#leave(kept);
    this.#of.delete(cache);
  }

  close(): void {
    for (const cache of [...this.#of.keys()]) this.drop(cache);
  }

  #layersOf(cache: object): (Kept | null)[] {
    const known = this.#of.get(cache) ?? new Array<Kept | null>(this.#layers).fill(null);
    this.#of.set(cache, known);
    return known;
  }

  #leave(kept: Kept | null): void {
    if (kept === null || --kept.holders > 0) return;
    for (const tensor of kept.tensors) tensor.dispose();
  }
}
