type Opened<T> = AsyncIterator<T, void, undefined>;

/**
 * Values of several sources as they come. Holds at most one of each: a source is asked for the next value when its last one was taken.
 * The first failure is everybody's. However it ends, every source is told by its signal and has ended.
 */
export async function* merge<T>(sources: readonly ((stop: AbortSignal) => AsyncIterable<T>)[], signal: AbortSignal): AsyncGenerator<T, void, undefined> {
  const [only] = sources;
  // Most requests have one answer: then there is nothing to wait for beside it.
  if (only !== undefined && sources.length === 1) return yield* only(signal);
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const opened = sources.map((open) => open(either)[Symbol.asyncIterator]() as Opened<T>);
  const arrivals = new Arrivals<T>();
  opened.forEach((source) => arrivals.ask(source));
  try {
    for (let running = opened.length; running > 0; ) {
      const { source, result } = await arrivals.take();
      if (result.done === true) running--;
      else {
        yield result.value;
        arrivals.ask(source);
      }
    }
  } finally {
    stop.abort();
    await Promise.allSettled(opened.map((source) => source.return?.()));
  }
}

interface Arrival<T> {
  readonly source: Opened<T>;
  readonly result: IteratorResult<T, void>;
}

/** Bounded by the sources: each has one value here, or one that is being made. */
class Arrivals<T> {
  readonly #arrived: Arrival<T>[] = [];
  #failed: { readonly thrown: unknown } | null = null;
  #changed = Promise.withResolvers<void>();

  ask(source: Opened<T>): void {
    source.next().then((result) => this.#arrived.push({ source, result }), (thrown: unknown) => (this.#failed ??= { thrown })).finally(() => this.#changed.resolve());
  }

  async take(): Promise<Arrival<T>> {
    for (;;) {
      if (this.#failed !== null) throw this.#failed.thrown;
      const arrival = this.#arrived.shift();
      if (arrival !== undefined) return arrival;
      await this.#changed.promise;
      this.#changed = Promise.withResolvers();
    }
  }
}
