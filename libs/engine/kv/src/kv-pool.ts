import { assert } from '@essaim/core';
import { KvCache, type KvCacheOwner } from './kv-cache.ts';
import { heapMemory, kvBytesPerToken, type KvLayout, type KvMemory } from './kv-layout.ts';
import { CHUNK_TOKENS, PrefixIndex } from './prefix-index.ts';

/** Ended sequences whose keys and values are kept, however small they are. */
const KEPT_CACHES = 1024;

/**
 * The memory for keys and values of one lead worker. A cache is reserved for the most tokens that its sequence may reach, so that a
 * sequence that was let in always finishes; what is reserved is allocated only as it fills. Whatever no sequence has reserved holds the
 * keys and values of sequences that ended: a new one that begins with the same tokens copies them instead of computing them.
 */
export class KvPool {
  readonly layout: KvLayout;
  readonly budgetBytes: number;
  readonly #memory: KvMemory;
  readonly #open = new Set<KvCache>();
  /** Bytes of each cache that is kept, the least recently used first. */
  readonly #kept = new Map<KvCache, number>();
  /** Open and kept caches. */
  readonly #prefixes = new PrefixIndex<KvCache>();
  readonly #owner: KvCacheOwner = { onCommit: (cache) => this.#prefixes.update(cache), onRelease: (cache) => this.#release(cache), onKeep: (cache) => this.#keep(cache) };
  #reservedBytes = 0;
  #keptBytes = 0;

  /** @param memory that caches take theirs from, a little more than the budget at times; default: the process's heap */
  constructor(layout: KvLayout, budgetBytes: number, memory = heapMemory(layout)) {
    this.layout = layout;
    this.budgetBytes = budgetBytes;
    this.#memory = memory;
  }

  /** Bytes reserved by open caches. */
  get usedBytes(): number {
    return this.#reservedBytes;
  }

  /** Bytes of caches that are kept. They give way to whoever reserves. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** The most bytes that one sequence can have: the budget, or what its memory gives at once for each layer. */
  get sequenceBytes(): number {
    return Math.min(this.budgetBytes, this.layout.layerCount * this.#memory.mostBytes);
  }

  /** Whether a sequence of so many tokens fits while the pool is empty. */
  couldEverHold(tokens: number): boolean {
    return this.#bytesOf(tokens) <= this.sequenceBytes;
  }

  /** Whether `reserve` would find room for so many tokens if these caches, each of them open, were given back. */
  canReserve(tokens: number, without: readonly KvCache[] = []): boolean {
    const freed = without.reduce((sum, { maxTokens }) => sum + this.#bytesOf(maxTokens), 0);
    return this.#reservedBytes - freed + this.#bytesOf(tokens) <= this.budgetBytes;
  }

  /** A cache for up to `tokens` tokens, the caller's to release or to keep; null while there is no room. It begins with what is known of `prefixIds`. */
  reserve(tokens: number, prefixIds: readonly number[] = []): KvCache | null {
    if (!this.canReserve(tokens)) return null;
    const cache = new KvCache({ layout: this.layout, memory: this.#memory, maxTokens: tokens, promptTokens: prefixIds.length, owner: this.#owner });
    this.#open.add(cache);
    this.#prefixes.update(cache);
    this.#reservedBytes += this.#bytesOf(tokens);
    // Before room is made: what has to leave for this cache may be what it begins with.
    this.extend(cache, prefixIds);
    this.#makeRoom();
    return cache;
  }

  /** Copies into a cache what others know of `prefixIds`, which begin with the cache's own tokens. Does nothing when they know no more than it. */
  extend(cache: KvCache, prefixIds: readonly number[]): void {
    const known = this.#prefixes.longest(prefixIds);
    if (known === null || known.count <= cache.length) return;
    this.#touch(known.holder);
    cache.copyFrom(known.holder, known.count);
  }

  /** What is reserved is what the open caches reserved, what is kept fits beside it, and all of it can be found; for when the engine is idle. */
  checkIntegrity(): void {
    const bytes = [...this.#open].reduce((sum, { maxTokens }) => sum + this.#bytesOf(maxTokens), 0);
    assert(bytes === this.#reservedBytes, `the KV pool counts ${this.#reservedBytes} bytes where its caches hold ${bytes}`);
    const kept = [...this.#kept.keys()].reduce((sum, { heldBytes }) => sum + heldBytes, 0);
    assert(kept === this.#keptBytes, `the KV pool counts ${this.#keptBytes} bytes where it keeps ${kept}`);
    assert(bytes + kept <= this.budgetBytes, `the KV pool holds ${bytes + kept} bytes where it may hold ${this.budgetBytes}`);
    this.#prefixes.checkIntegrity([...this.#open, ...this.#kept.keys()]);
  }

  #bytesOf(tokens: number): number {
    return tokens * kvBytesPerToken(this.layout);
  }

  #release(cache: KvCache): void {
    this.#settle(cache);
    cache.close();
  }

  /** It no longer reserves. */
  #settle(cache: KvCache): void {
    assert(this.#open.delete(cache), 'a KV cache is released once');
    this.#prefixes.remove(cache);
    this.#reservedBytes -= this.#bytesOf(cache.maxTokens);
  }

  /** Of two caches of which one is the beginning of the other, only the longer one stays. */
  #keep(cache: KvCache): void {
    this.#settle(cache);
    if (cache.length < CHUNK_TOKENS) return cache.close();
    const known = this.#prefixes.longest(cache.tokenIds);
    if (known !== null && known.count === cache.length) {
      this.#touch(known.holder);
      return cache.close();
    }
    if (known !== null && known.count === known.holder.length) this.#forget(known.holder);
    this.#kept.set(cache, cache.heldBytes);
    this.#keptBytes += cache.heldBytes;
    this.#prefixes.update(cache);
    this.#makeRoom();
  }

  /** Forgets what was used least recently until the rest fits. */
  #makeRoom(): void {
    for (const cache of this.#kept.keys()) {
      if (this.#reservedBytes + this.#keptBytes <= this.budgetBytes && this.#kept.size <= KEPT_CACHES) return;
      this.#forget(cache);
    }
  }

  #forget(cache: KvCache): void {
    const bytes = this.#kept.get(cache);
    if (bytes === undefined) return;
    this.#kept.delete(cache);
    this.#keptBytes -= bytes;
    this.#prefixes.remove(cache);
    cache.close();
  }

  #touch(cache: KvCache): void {
    const bytes = this.#kept.get(cache);
    if (bytes === undefined) return;
    this.#kept.delete(cache);
    this.#kept.set(cache, bytes);
  }
}
