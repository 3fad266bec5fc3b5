import { assert } from '@essaim/core';
import { KvCache } from './kv-cache.ts';
import { kvBytesPerToken, type KvLayout } from './kv-layout.ts';

/**
 * The memory for keys and values of one lead worker. A cache is reserved for the most tokens that its sequence may reach, so that a
 * sequence that was let in always finishes; what is reserved is allocated only as it fills.
 */
export class KvPool {
  readonly layout: KvLayout;
  readonly budgetBytes: number;
  readonly #open = new Set<KvCache>();
  #reservedBytes = 0;

  constructor(layout: KvLayout, budgetBytes: number) {
    this.layout = layout;
    this.budgetBytes = budgetBytes;
  }

  /** Bytes reserved by open caches. */
  get usedBytes(): number {
    return this.#reservedBytes;
  }

  /** Whether a sequence of so many tokens fits while the pool is empty. */
  couldEverHold(tokens: number): boolean {
    return tokens * kvBytesPerToken(this.layout) <= this.budgetBytes;
  }

  /** A cache for up to `tokens` tokens, the caller's to release; null while there is no room. */
  reserve(tokens: number): KvCache | null {
    const bytes = tokens * kvBytesPerToken(this.layout);
    if (this.#reservedBytes + bytes > this.budgetBytes) return null;
    this.#reservedBytes += bytes;
    const cache = new KvCache(this.layout, tokens, (released) => this.#release(released, bytes));
    this.#open.add(cache);
    return cache;
  }

  /** What is reserved is what the open caches reserved; for when the engine is idle. */
  checkIntegrity(): void {
    const bytes = [...this.#open].reduce((sum, cache) => sum + cache.maxTokens * kvBytesPerToken(this.layout), 0);
    assert(bytes === this.#reservedBytes, `the KV pool counts ${this.#reservedBytes} bytes where its caches hold ${bytes}`);
  }

  #release(cache: KvCache, bytes: number): void {
    assert(this.#open.delete(cache), 'a KV cache is released once');
    this.#reservedBytes -= bytes;
  }
}
