import { assert, type ModelSpec } from '@essaim/core';

/** float32 values that one token keeps in each layer. */
export interface KvLayout {
  readonly layerCount: number;
  /** For grouped-query attention key-value heads times head size, for latent attention the latent and behind it the rotated key. */
  readonly keyWidth: number;
  /** As wide as keys, or 0 for latent attention: its values are the latents within the keys. */
  readonly valueWidth: number;
  /** Threads that each compute a part of the heads and keep these heads' keys and values beside each other. Divides both widths. Default: 1. */
  readonly slices?: number;
}

export function kvLayoutOf({ layerCount, attention }: ModelSpec, slices = 1): KvLayout {
  if (attention.kind === 'gqa') {
    const width = attention.kvHeadCount * attention.headSize;
    return { layerCount, keyWidth: width, valueWidth: width, slices };
  }
  assert(slices === 1, 'all heads of latent attention share one key');
  return { layerCount, keyWidth: attention.latentRank + attention.rotarySize, valueWidth: 0, slices };
}

/** Bytes that one token takes over all layers. */
export const kvBytesPerToken = (layout: KvLayout): number => layout.layerCount * floatsPerLayer(layout) * Float32Array.BYTES_PER_ELEMENT;

/** The memory of one cache: of each layer, for each slice keys [capacity, keyWidth / slices], then values [capacity, valueWidth / slices]. */
export interface KvBuffer {
  readonly layers: readonly Float32Array<ArrayBufferLike>[];
  /** In tokens. */
  readonly capacity: number;
}

/** Where the floats of caches come from. */
export interface KvMemory {
  /** Of floats that are taken at once: one layer of one sequence. */
  readonly mostBytes: number;
  /** So many floats, the caller's until it gives them back; what is in them may be anything. */
  take(count: number): Float32Array<ArrayBufferLike>;
  give(floats: Float32Array<ArrayBufferLike>): void;
}

/** Memory of the process's heap; shared with other threads where each of them has a part of it. */
export const heapMemory = ({ slices = 1 }: KvLayout): KvMemory => ({
  mostBytes: Number.MAX_SAFE_INTEGER,
  take: (count) => new Float32Array(slices > 1 ? new SharedArrayBuffer(4 * count) : new ArrayBuffer(4 * count)),
  give: () => undefined,
});

export function allocateKv(memory: KvMemory, layout: KvLayout, capacity: number): KvBuffer {
  const layers: Float32Array<ArrayBufferLike>[] = [];
  try {
    while (layers.length < layout.layerCount) layers.push(memory.take(capacity * floatsPerLayer(layout)));
    return { layers, capacity };
  } catch (thrown) {
    for (const floats of layers) memory.give(floats);
    throw thrown;
  }
}

/** Where in a cache keys and values are. */
export interface KvPlace {
  readonly layer: number;
  readonly slice: number;
}

/** Keys [capacity, keyWidth / slices] and values [capacity, valueWidth / slices] of one layer and slice: views. */
export function kvView({ layers, capacity }: KvBuffer, layout: KvLayout, { layer, slice }: KvPlace): { readonly keys: Float32Array; readonly values: Float32Array } {
  const slices = layout.slices ?? 1;
  const [keyWidth, valueWidth] = [layout.keyWidth / slices, layout.valueWidth / slices];
  const floats = layers[layer]!;
  const first = slice * capacity * (keyWidth + valueWidth);
  const middle = first + capacity * keyWidth;
  return { keys: floats.subarray(first, middle), values: floats.subarray(middle, middle + capacity * valueWidth) };
}

/** Of one token. */
const floatsPerLayer = ({ keyWidth, valueWidth }: KvLayout): number => keyWidth + valueWidth;
