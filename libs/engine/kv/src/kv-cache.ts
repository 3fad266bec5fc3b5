import { assert } from '@essaim/core';
import { allocateKv, type KvBuffer, kvBytesPerToken, type KvLayout, type KvMemory, type KvNumbers, kvView } from './kv-layout.ts';

/** Allocated beyond what is asked for, so that an answer behind a prompt is not copied at its first token. */
const SPARE_TOKENS = 64;

const NO_BYTES = new Uint8Array(0);

/** Of a cache that holds nothing yet, or no more. */
const nothingOf = ({ layerCount }: KvLayout): KvBuffer => ({ layers: new Array<Uint8Array>(layerCount).fill(NO_BYTES), capacity: 0 });

let lastId = 0;

/** Told of what becomes of a cache. */
export interface KvCacheOwner {
  onCommit(cache: KvCache): void;
  onRelease(cache: KvCache): void;
  onKeep(cache: KvCache): void;
}

export interface KvCacheOptions {
  readonly layout: KvLayout;
  readonly memory: KvMemory;
  readonly maxTokens: number;
  /** Of these, those that are known when it is made. */
  readonly promptTokens: number;
  readonly owner: KvCacheOwner;
}

/**
 * Keys and values of one sequence. A step appends the same positions to every layer and then commits them; views are exact in length
 * and share memory, so that attention reads them without a copy. Committed positions never change.
 */
export class KvCache {
  /** Another one for each cache of this process that is in use: 32 bits, as jobs name it to compute threads. */
  readonly id = (lastId = (lastId + 1) | 0);
  readonly maxTokens: number;
  readonly layout: KvLayout;
  readonly #owner: KvCacheOwner;
  readonly #memory: KvMemory;
  readonly #promptTokens: number;
  readonly #tokenIds: number[] = [];
  #buffer: KvBuffer;
  #isClosed = false;

  constructor({ layout, memory, maxTokens, promptTokens, owner }: KvCacheOptions) {
    this.layout = layout;
    this.maxTokens = maxTokens;
    this.#memory = memory;
    this.#promptTokens = promptTokens;
    this.#owner = owner;
    this.#buffer = nothingOf(layout);
  }

  /** The committed tokens. */
  get tokenIds(): readonly number[] {
    return this.#tokenIds;
  }

  /** How many tokens are committed. */
  get length(): number {
    return this.#tokenIds.length;
  }

  /** Where the keys and values are; another place after `prepare`. */
  get buffer(): KvBuffer {
    return this.#buffer;
  }

  /** Bytes that are allocated, filled or not. */
  get heldBytes(): number {
    return this.#buffer.capacity * kvBytesPerToken(this.layout);
  }

  /**
   * Makes room for `count` tokens behind the committed ones. Takes the whole prompt's at once, then doubles, so that growing by one token at a time copies each
   * value at most twice on average; and takes all that is reserved where that is no more than twice what it would take.
   */
  prepare(count: number): void {
    const tokens = this.length + count;
    assert(tokens <= this.maxTokens, `a KV cache reserved for ${this.maxTokens} tokens is not asked for ${tokens}`);
    if (tokens <= this.#buffer.capacity) return;
    const capacity = Math.max(Math.max(tokens, this.#promptTokens) + SPARE_TOKENS, 2 * this.#buffer.capacity);
    const larger = allocateKv(this.#memory, this.layout, this.maxTokens <= 2 * capacity ? this.maxTokens : capacity);
    if (this.#memory.device === undefined) copyTokens(this.layout, { from: this.#buffer, to: larger }, 0, this.length);
    this.#give();
    this.#buffer = larger;
  }

  /** Puts `count` tokens behind the committed ones of one layer's slice: keys [count, keyWidth / slices], values likewise. Nothing is committed. */
  append(layer: number, count: number, { keys, values }: { readonly keys: KvNumbers; readonly values: KvNumbers }, slice = 0): void {
    this.prepare(count);
    const view = kvView(this.#buffer, this.layout, { layer, slice });
    view.keys.set(keys, this.length * (keys.length / count));
    view.values.set(values, this.length * (values.length / count));
  }

  /** Positions [first, end) of one layer's slice, appended ones included: [end - first, keyWidth / slices]. Valid until the next `prepare`. */
  keys(layer: number, first: number, end: number, slice = 0): KvNumbers {
    const width = this.layout.keyWidth / (this.layout.slices ?? 1);
    return kvView(this.#buffer, this.layout, { layer, slice }).keys.subarray(first * width, end * width);
  }

  /** The same of the values. */
  values(layer: number, first: number, end: number, slice = 0): KvNumbers {
    const width = this.layout.valueWidth / (this.layout.slices ?? 1);
    return kvView(this.#buffer, this.layout, { layer, slice }).values.subarray(first * width, end * width);
  }

  /** Makes the last appended tokens part of the sequence; these are their ids. */
  commit(tokenIds: readonly number[]): void {
    for (const id of tokenIds) this.#tokenIds.push(id);
    this.#owner.onCommit(this);
  }

  /** Goes on with another cache's keys and values, up to its first `count` tokens. The tokens of this one are the first of those. */
  copyFrom(source: KvCache, count: number): void {
    const first = this.length;
    this.prepare(count - first);
    if (this.#memory.device === undefined) copyTokens(this.layout, { from: source.buffer, to: this.#buffer }, first, count);
    else this.#memory.device.share(source, this);
    this.commit(source.tokenIds.slice(first, count));
  }

  /** True once nobody will read it any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** For the pool: gives the memory up. */
  close(): void {
    this.#isClosed = true;
    this.#memory.device?.drop(this);
    this.#give();
  }

  #give(): void {
    if (this.#buffer.capacity > 0) for (const bytes of this.#buffer.layers) this.#memory.give(bytes);
    this.#buffer = nothingOf(this.layout);
  }

  /** Gives the memory back. The cache is not used again. */
  release(): void {
    this.#owner.onRelease(this);
  }

  /** Gives the reservation back, but leaves keys and values with the pool, for sequences that begin with the same tokens. The cache is not used again. */
  keep(): void {
    this.#owner.onKeep(this);
  }
}

/** Positions [first, end) of every layer. */
function copyTokens(layout: KvLayout, { from, to }: { readonly from: KvBuffer; readonly to: KvBuffer }, first: number, end: number): void {
  const slices = layout.slices ?? 1;
  const [keyWidth, valueWidth] = [layout.keyWidth / slices, layout.valueWidth / slices];
  for (let layer = 0; layer < layout.layerCount; layer++) {
    for (let slice = 0; slice < slices; slice++) {
      const [source, target] = [kvView(from, layout, { layer, slice }), kvView(to, layout, { layer, slice })];
      target.keys.set(source.keys.subarray(first * keyWidth, end * keyWidth), first * keyWidth);
      target.values.set(source.values.subarray(first * valueWidth, end * valueWidth), first * valueWidth);
    }
  }
}
