import { assert } from '@essaim/core';
import { type KvLayout } from './kv-layout.ts';

/** Allocated beyond what is asked for, so that an answer behind a prompt is not copied at its first token. */
const SPARE_TOKENS = 64;

/** Keys and values of one layer, [capacity, width] each. */
interface LayerBuffers {
  keys: Float32Array;
  values: Float32Array;
}

/** Told of what becomes of a cache. */
export interface KvCacheOwner {
  onCommit(cache: KvCache): void;
  onRelease(cache: KvCache): void;
  onKeep(cache: KvCache): void;
}

/**
 * Keys and values of one sequence. A step appends the same positions to every layer and then commits them; views are exact in length
 * and share memory, so that attention reads them without a copy. Committed positions never change.
 */
export class KvCache {
  readonly maxTokens: number;
  readonly #layout: KvLayout;
  readonly #layers: readonly LayerBuffers[];
  readonly #owner: KvCacheOwner;
  readonly #tokenIds: number[] = [];

  constructor(layout: KvLayout, maxTokens: number, owner: KvCacheOwner) {
    this.#layout = layout;
    this.maxTokens = maxTokens;
    this.#owner = owner;
    this.#layers = Array.from({ length: layout.layerCount }, () => ({ keys: new Float32Array(0), values: new Float32Array(0) }));
  }

  /** The committed tokens. */
  get tokenIds(): readonly number[] {
    return this.#tokenIds;
  }

  /** How many tokens are committed. */
  get length(): number {
    return this.#tokenIds.length;
  }

  /** Bytes that are allocated, filled or not. */
  get heldBytes(): number {
    return this.#layers.reduce((sum, { keys, values }) => sum + keys.byteLength + values.byteLength, 0);
  }

  /** Puts `count` tokens behind the committed ones of one layer: keys [count, keyWidth], values [count, valueWidth]. Nothing is committed. */
  append(layer: number, count: number, { keys, values }: { readonly keys: Float32Array; readonly values: Float32Array }): void {
    const { keyWidth, valueWidth } = this.#layout;
    const end = this.length + count;
    assert(end <= this.maxTokens, `a KV cache reserved for ${this.maxTokens} tokens is not asked for ${end}`);
    const buffers = this.#layers[layer]!;
    buffers.keys = this.#withRoom(buffers.keys, end, keyWidth);
    buffers.values = this.#withRoom(buffers.values, end, valueWidth);
    buffers.keys.set(keys, this.length * keyWidth);
    buffers.values.set(values, this.length * valueWidth);
  }

  /** Positions [first, end) of one layer, appended ones included: [end - first, keyWidth]. Valid until the next append. */
  keys(layer: number, first: number, end: number): Float32Array {
    return this.#layers[layer]!.keys.subarray(first * this.#layout.keyWidth, end * this.#layout.keyWidth);
  }

  /** The same of the values: [end - first, valueWidth]. */
  values(layer: number, first: number, end: number): Float32Array {
    return this.#layers[layer]!.values.subarray(first * this.#layout.valueWidth, end * this.#layout.valueWidth);
  }

  /** Makes the last appended tokens part of the sequence; these are their ids. */
  commit(tokenIds: readonly number[]): void {
    for (const id of tokenIds) this.#tokenIds.push(id);
    this.#owner.onCommit(this);
  }

  /** Goes on with another cache's keys and values, up to its first `count` tokens. The tokens of this one are the first of those. */
  copyFrom(source: KvCache, count: number): void {
    const first = this.length;
    for (let layer = 0; layer < this.#layers.length; layer++) {
      this.append(layer, count - first, { keys: source.keys(layer, first, count), values: source.values(layer, first, count) });
    }
    this.commit(source.tokenIds.slice(first, count));
  }

  /** Gives the memory back. The cache is not used again. */
  release(): void {
    this.#owner.onRelease(this);
  }

  /** Gives the reservation back, but leaves keys and values with the pool, for sequences that begin with the same tokens. The cache is not used again. */
  keep(): void {
    this.#owner.onKeep(this);
  }

  /** Doubles, so that appending one token at a time copies each value at most twice on average. */
  #withRoom(buffer: Float32Array, tokens: number, width: number): Float32Array {
    if (tokens * width <= buffer.length) return buffer;
    const capacity = Math.min(this.maxTokens, Math.max(tokens + SPARE_TOKENS, 2 * Math.floor(buffer.length / width)));
    const larger = new Float32Array(capacity * width);
    larger.set(buffer);
    return larger;
  }
}
