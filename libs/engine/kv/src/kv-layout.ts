import { assert, KV_VALUE_BYTES, type KvDtype, type KvWidths, kvWidthsOf, type ModelSpec } from '@essaim/core';

/** What one token keeps in each layer. */
export interface KvLayout<Dtype extends KvDtype = KvDtype> extends KvWidths {
  readonly layerCount: number;
  readonly dtype: Dtype;
  /** Parts of the heads whose keys and values lie by themselves. Divides both widths. Default: 1. */
  readonly slices?: number;
}

/** @param slices default: one for each key-value head, which is then read from one end to the other */
export function kvLayoutOf<Dtype extends KvDtype>({ layerCount, attention }: ModelSpec, dtype: Dtype, slices = attention.kind === 'gqa' ? attention.kvHeadCount : 1): KvLayout<Dtype> {
  assert(slices === 1 || attention.kind === 'gqa', 'all heads of latent attention share one key');
  return { layerCount, dtype, ...kvWidthsOf(attention), slices };
}

/** Bytes that one token takes over all layers. */
export const kvBytesPerToken = (layout: KvLayout): number => layout.layerCount * bytesPerLayer(layout);

/** Of one token. */
const bytesPerLayer = ({ keyWidth, valueWidth, dtype }: KvLayout): number => (keyWidth + valueWidth) * KV_VALUE_BYTES[dtype];

/** The memory of one cache: of each layer, for each slice keys [capacity, keyWidth / slices], then values [capacity, valueWidth / slices]. */
export interface KvBuffer {
  readonly layers: readonly Uint8Array[];
  /** In tokens. */
  readonly capacity: number;
}

/** Where the memory of caches comes from. */
export interface KvMemory {
  /** That are taken at once: one layer of one sequence. */
  readonly mostBytes: number;
  /** So many bytes, aligned for numbers of 4, the caller's until it gives them back; what is in them may be anything. */
  take(bytes: number): Uint8Array;
  give(bytes: Uint8Array): void;
  /** Of a device that keeps them by itself: caches then take nothing and only count. */
  readonly device?: DeviceKv;
}

/** Keys and values on a device. They are put there by whoever computes attention. */
export interface DeviceKv {
  /** `to` goes on with what `from` has. */
  share(from: object, to: object): void;
  /** Nobody will ask for this cache's again. */
  drop(cache: object): void;
}

/** Memory of the process's heap; shared with other threads where each of them has a part of it. */
export const heapMemory = ({ slices = 1 }: KvLayout): KvMemory => ({
  mostBytes: Number.MAX_SAFE_INTEGER,
  take: (bytes) => new Uint8Array(slices > 1 ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes)),
  give: () => undefined,
});

export function allocateKv(memory: KvMemory, layout: KvLayout, capacity: number): KvBuffer {
  const layers: Uint8Array[] = [];
  if (memory.device !== undefined) return { layers, capacity };
  try {
    while (layers.length < layout.layerCount) layers.push(memory.take(capacity * bytesPerLayer(layout)));
    return { layers, capacity };
  } catch (thrown) {
    for (const bytes of layers) memory.give(bytes);
    throw thrown;
  }
}

/** Where in a cache keys and values are. */
export interface KvPlace {
  readonly layer: number;
  readonly slice: number;
}

const ARRAYS = { f32: Float32Array, bf16: Uint16Array } as const satisfies Record<KvDtype, unknown>;

/** Numbers as a cache keeps them: float32, or the bits of bfloat16. */
export type KvNumbers<Dtype extends KvDtype = KvDtype> = { readonly f32: Float32Array; readonly bf16: Uint16Array }[Dtype];

/** Keys [capacity, keyWidth / slices] and values [capacity, valueWidth / slices] of one layer and slice: views. */
export function kvView<Dtype extends KvDtype>({ layers, capacity }: KvBuffer, layout: KvLayout<Dtype>, { layer, slice }: KvPlace): { readonly keys: KvNumbers<Dtype>; readonly values: KvNumbers<Dtype> } {
  const { keyWidth, valueWidth, dtype, slices = 1 } = layout;
  const { buffer, byteOffset } = layers[layer]!;
  const [keyCount, valueCount] = [(capacity * keyWidth) / slices, (capacity * valueWidth) / slices];
  const numbers = (first: number, count: number): KvNumbers<Dtype> => new ARRAYS[dtype as KvDtype](buffer as ArrayBuffer, byteOffset + first * KV_VALUE_BYTES[dtype], count) as KvNumbers<Dtype>;
  const first = slice * (keyCount + valueCount);
  return { keys: numbers(first, keyCount), values: numbers(first + keyCount, valueCount) };
}
