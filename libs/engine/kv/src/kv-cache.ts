import { assert } from '@essaim/core';
import { type KvLayout } from './kv-layout.ts';

const FIRST_TOKENS = 64;

/** Keys and values of one layer, [capacity, width] each. */
interface LayerBuffers {
  keys: Float32Array;
  values: Float32Array;
}

/**
 * Keys and values of one sequence. A step appends the same positions to every layer and then commits them; views are exact in length
 * and share memory, so that attention reads them without a copy.
 */
export class KvCache {
  readonly maxTokens: number;
  readonly #layout: KvLayout;
  readonly #layers: readonly LayerBuffers[];
  readonly #onRelease: (cache: KvCache) => void;
  #length = 0;

  constructor(layout: KvLayout, maxTokens: number, onRelease: (cache: KvCache) => void) {
    this.#layout = layout;
    this.maxTokens = maxTokens;
    this.#onRelease = onRelease;
    this.#layers = Array.from({ length: layout.layerCount }, () => ({ keys: new Float32Array(0), values: new Float32Array(0) }));
  }

  /** Committed tokens. */
  get length(): number {
    return this.#length;
  }

  /** Puts `count` tokens behind the committed ones of one layer: keys [count, keyWidth], values [count, valueWidth]. Nothing is committed. */
  append(layer: number, count: number, { keys, values }: { readonly keys: Float32Array; readonly values: Float32Array }): void {
    const { keyWidth, valueWidth } = this.#layout;
    const end = this.#length + count;
    assert(end <= this.maxTokens, `a KV cache reserved for ${this.maxTokens} tokens is not asked for ${end}`);
    const buffers = this.#layers[layer]!;
    buffers.keys = this.#withRoom(buffers.keys, end, keyWidth);
    buffers.values = this.#withRoom(buffers.values, end, valueWidth);
    buffers.keys.set(keys, this.#length * keyWidth);
    buffers.values.set(values, this.#length * valueWidth);
  }

  /** Positions [first, end) of one layer, appended ones included: [end - first, keyWidth]. Valid until the next append. */
  keys(layer: number, first: number, end: number): Float32Array {
    return this.#layers[layer]!.keys.subarray(first * this.#layout.keyWidth, end * this.#layout.keyWidth);
  }

  /** The same of the values: [end - first, valueWidth]. */
  values(layer: number, first: number, end: number): Float32Array {
    return this.#layers[layer]!.values.subarray(first * this.#layout.valueWidth, end * this.#layout.valueWidth);
  }

  /** Makes the last appended tokens part of the sequence. */
  commit(count: number): void {
    this.#length += count;
  }

  /** Gives the memory back. The cache is not used again. */
  release(): void {
    for (const buffers of this.#layers) buffers.keys = buffers.values = new Float32Array(0);
    this.#onRelease(this);
  }

  /** Doubles, so that appending one token at a time copies each value at most twice on average. */
  #withRoom(buffer: Float32Array, tokens: number, width: number): Float32Array {
    if (tokens * width <= buffer.length) return buffer;
    const capacity = Math.min(this.maxTokens, Math.max(tokens, FIRST_TOKENS, 2 * Math.floor(buffer.length / width)));
    const larger = new Float32Array(capacity * width);
    larger.set(buffer);
    return larger;
  }
}
