import { AppError } from '@essaim/core';

/** Readers at once: every worker and gateway has one. */
const READERS_MAX = 4096;

/** One value that changes, with readers who follow it: each sees the present one and then the newest, never an older one. */
export class Feed<T> {
  readonly #readers = new Set<() => void>();
  #current: T | null = null;

  publish(value: T): void {
    this.#current = value;
    for (const wake of this.#readers) wake();
  }

  /** Rejects with the signal's reason; it has no other end. */
  async *follow(signal: AbortSignal): AsyncGenerator<T, never, undefined> {
    for (let seen: T | null = null; ; ) {
      while (this.#current === null || this.#current === seen) await this.#change(signal);
      seen = this.#current;
      yield seen;
    }
  }

  async #change(signal: AbortSignal): Promise<void> {
    if (this.#readers.size >= READERS_MAX) throw new AppError('resource_exhausted', `${READERS_MAX} readers follow this cluster already: close some`);
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = (): void => reject(signal.reason);
    this.#readers.add(resolve);
    signal.addEventListener('abort', abort, { once: true });
    try {
      await promise;
    } finally {
      this.#readers.delete(resolve);
      signal.removeEventListener('abort', abort);
    }
  }
}
