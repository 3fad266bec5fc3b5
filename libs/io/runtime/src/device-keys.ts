import { type Tensor } from 'onnxruntime-node';
import { assert, type ModelSpec } from '@essaim/core';
import { attentionOf } from '@essaim/graph';
import { type DeviceKv } from '@essaim/kv';
import { type Feeds, floats, longs } from './device-session.ts';
import { type PlainGraphs, TENSORS_AT_ONCE } from './plain-graphs.ts';

/** A sequence, and how many of its first tokens are meant. */
export interface Member {
  readonly cache: object;
  readonly length: number;
}

/** What some sequences keep of one layer, by the names of its kinds ('keys', 'values'). Their tensors are never written again: sequences with the same beginning have the same ones. */
class Batch {
  readonly tensors: Feeds;
  /** Places for sequences. */
  readonly size: number;
  /** Places for tokens of each: the last are taken. */
  readonly tokens: number;
  readonly holders = new Set<object>();

  constructor(tensors: Feeds, { size, tokens }: Pick<Batch, 'size' | 'tokens'>) {
    this.tensors = tensors;
    this.size = size;
    this.tokens = tokens;
  }
}

/** What one sequence keeps of one layer. */
interface Place {
  readonly batch: Batch;
  /** Among the sequences of the batch. */
  readonly index: number;
  /** In tokens. */
  readonly length: number;
}

/** Sequences to be taken out of a batch, with their tokens before `end`. */
interface Source {
  readonly tensors: Feeds;
  readonly indices: number[];
  readonly end: number;
}

export interface Past {
  readonly tensors: Feeds;
  /** Whether they are the caller's to dispose of; else they are valid until the next `put`. */
  readonly isNew: boolean;
}

/** Keys and values of all sequences, or their latents, on the device. Sequences that go on together keep them together, the newest tokens side by side at the end. */
export class DeviceKeys implements DeviceKv {
  readonly #graphs: PlainGraphs;
  readonly #kinds: ReturnType<typeof attentionOf>['kept'];
  readonly #layers: number;
  readonly #of = new Map<object, (Place | null)[]>();

  constructor(spec: ModelSpec, graphs: PlainGraphs) {
    this.#graphs = graphs;
    this.#kinds = attentionOf(spec).kept;
    this.#layers = spec.layerCount;
  }

  /** What these sequences keep of a layer together, in their order: of each kind a tensor of as many tokens as the longest has. Several have at least one token each. */
  async past(members: readonly Member[], layer: number): Promise<Past> {
    const tokens = longest(members);
    if (tokens === 0) return { tensors: Object.fromEntries(this.#kinds.map(({ name, dims }) => [name, floats(new Float32Array(0), dims)])), isNew: true };
    const places = members.map(({ cache }) => {
      const place = this.#of.get(cache)?.[layer];
      assert(place, 'a sequence goes on behind what it keeps');
      return place;
    });
    const { batch } = places[0]!;
    const asTheyAre = batch.size === members.length && batch.tokens === tokens && places.every((place, nth) => place.batch === batch && place.index === nth && place.length === members[nth]!.length);
    if (asTheyAre) return { tensors: batch.tensors, isNew: false };
    return { tensors: await this.#regroup(sourcesOf(places, members), tokens), isNew: true };
  }

  /** In place of what these sequences kept of the layer so far, `tensors` of all of them together. Sequences that others leave behind get what they keep for themselves. */
  async put(members: readonly Member[], layer: number, tensors: Feeds): Promise<void> {
    const batch = new Batch(tensors, { size: members.length, tokens: longest(members) });
    const left = new Set<Batch>();
    for (const [index, { cache, length }] of members.entries()) {
      const before = this.#layersOf(cache)[layer];
      this.#set(cache, layer, { batch, index, length });
      if (before !== null && before !== undefined && before.batch.holders.size > 0 && before.batch.size > 1) left.add(before.batch);
    }
    for (const each of left) await this.#separate(each, layer);
  }

  share(from: object, to: object): void {
    for (const [layer, place] of this.#layersOf(from).entries()) this.#set(to, layer, place);
  }

  drop(cache: object): void {
    for (const layer of this.#of.get(cache)?.keys() ?? []) this.#set(cache, layer, null);
    this.#of.delete(cache);
  }

  close(): void {
    for (const cache of [...this.#of.keys()]) this.drop(cache);
  }

  /** Who still holds a batch keeps what is its own, and no longer what was others'. Sequences that had the same go on having the same. */
  async #separate(batch: Batch, layer: number): Promise<void> {
    const holders = Map.groupBy(batch.holders, (cache) => this.#of.get(cache)![layer]!.index);
    for (const [index, caches] of holders) {
      const length = Math.max(...caches.map((cache) => this.#of.get(cache)![layer]!.length));
      const tensors = await this.#regroup([{ tensors: batch.tensors, indices: [index], end: batch.tokens }], length);
      const own = new Batch(tensors, { size: 1, tokens: length });
      // They may have been dropped meanwhile.
      const still = caches.filter((cache) => batch.holders.has(cache));
      if (still.length === 0) disposeAll(tensors);
      for (const cache of still) this.#set(cache, layer, { batch: own, index: 0, length: this.#of.get(cache)![layer]!.length });
    }
  }

  /** Of each sequence the last `tokens` places before its source's end, or all there are, with places before them that nobody sees. */
  async #regroup(sources: readonly Source[], tokens: number): Promise<Feeds> {
    if (sources.length > TENSORS_AT_ONCE) {
      const parts: Source[] = [];
      try {
        for (let first = 0; first < sources.length; first += TENSORS_AT_ONCE) {
          const some = sources.slice(first, first + TENSORS_AT_ONCE);
          const count = some.reduce((sum, { indices }) => sum + indices.length, 0);
          parts.push({ tensors: await this.#regroup(some, tokens), indices: Array.from({ length: count }, (_, index) => index), end: tokens });
        }
        return await this.#regroup(parts, tokens);
      } finally {
        for (const { tensors } of parts) disposeAll(tensors);
      }
    }
    const feeds: Record<string, Tensor> = {};
    for (const [nth, { tensors, indices, end }] of sources.entries()) {
      feeds[`indices.${nth}`] = longs(indices);
      feeds[`begin.${nth}`] = longs([Math.max(0, end - tokens)]);
      feeds[`end.${nth}`] = longs([end]);
      for (const { name, dims, tokensAxis } of this.#kinds) {
        feeds[`${name}.${nth}`] = tensors[name]!;
        const pads = new Array<number>(2 * dims.length).fill(0);
        pads[tokensAxis] = Math.max(0, tokens - end);
        feeds[`${name}.${nth}.pads`] = longs(pads);
      }
    }
    return (await this.#graphs.regroup(sources.length)).run(feeds);
  }

  #set(cache: object, layer: number, place: Place | null): void {
    const layers = this.#layersOf(cache);
    const before = layers[layer];
    layers[layer] = place;
    place?.batch.holders.add(cache);
    if (!before || before.batch === place?.batch) return;
    before.batch.holders.delete(cache);
    if (before.batch.holders.size === 0) disposeAll(before.batch.tensors);
  }

  #layersOf(cache: object): (Place | null)[] {
    const known = this.#of.get(cache) ?? new Array<Place | null>(this.#layers).fill(null);
    this.#of.set(cache, known);
    return known;
  }
}

/** Neighbours of one batch that end at the same place are one source. */
function sourcesOf(places: readonly Place[], members: readonly Member[]): Source[] {
  const sources: Source[] = [];
  for (const [nth, { batch: { tensors, tokens }, index, length }] of places.entries()) {
    const end = tokens - length + members[nth]!.length;
    const last = sources.at(-1);
    if (last?.tensors === tensors && last.end === end) last.indices.push(index);
    else sources.push({ tensors, indices: [index], end });
  }
  return sources;
}

const longest = (members: readonly Member[]): number => Math.max(...members.map(({ length }) => length));

function disposeAll(tensors: Feeds): void {
  for (const tensor of Object.values(tensors)) tensor.dispose();
}
