import { abortedError } from './bridge/status.ts';

/**
 * The newest value of a source, at the reader's pace: values that come while the reader is busy replace each other, so one is held at
 * most. Ends with its source or with the signal, and stops the source when the reader leaves.
 */
export async function* latest<T>(open: (stop: AbortSignal) => AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T, void, undefined> {
  const stop = new AbortController();
  const ended = AbortSignal.any([signal, stop.signal]);
  const slot = new Slot<T>();
  const onAbort = (): void => slot.end(abortedError(signal));
  if (signal.aborted) throw abortedError(signal);
  signal.addEventListener('abort', onAbort, { once: true });
  void fill(slot, open(ended));
  try {
    for (let next = await slot.take(); next !== null; next = await slot.take()) yield next.value;
  } finally {
    signal.removeEventListener('abort', onAbort);
    stop.abort();
  }
}

async function fill<T>(slot: Slot<T>, source: AsyncIterable<T>): Promise<void> {
  try {
    for await (const value of source) slot.put(value);
    slot.end(null);
  } catch (thrown) {
    slot.end(thrown);
  }
}

/** Room for one value, between one writer and one reader. */
class Slot<T> {
  #held: { readonly value: T } | null = null;
  #ended: { readonly thrown: unknown } | null = null;
  #changed = Promise.withResolvers<void>();

  put(value: T): void {
    this.#held = { value };
    this.#changed.resolve();
  }

  /** No value follows. With an error, the held one is not worth reading either. The first call counts. */
  end(thrown: unknown): void {
    this.#ended ??= { thrown };
    this.#changed.resolve();
  }

  /** The held value once there is one; null at the end. */
  async take(): Promise<{ readonly value: T } | null> {
    while (this.#held === null && this.#ended === null) {
      await this.#changed.promise;
      this.#changed = Promise.withResolvers();
    }
    if (this.#ended !== null && this.#ended.thrown !== null) throw this.#ended.thrown;
    const held = this.#held;
    this.#held = null;
    return held;
  }
}
