/** From one writer to one reader, in order. The writer bounds what is held: a sequence emits no more than its tokens. */
export class EventQueue<T> {
  readonly #events: T[] = [];
  #ended: { readonly thrown: unknown } | null = null;
  #changed = Promise.withResolvers<void>();

  push(event: T): void {
    this.#events.push(event);
    this.#changed.resolve();
  }

  /** No event follows. The first call counts. */
  end(): void {
    this.#end({ thrown: null });
  }

  /** The reader gets what was pushed before, then the error. */
  fail(error: Error): void {
    this.#end({ thrown: error });
  }

  async *drain(): AsyncGenerator<T, void, undefined> {
    for (;;) {
      while (this.#events.length > 0) yield this.#events.shift()!;
      if (this.#ended !== null) {
        if (this.#ended.thrown !== null) throw this.#ended.thrown;
        return;
      }
      await this.#changed.promise;
      this.#changed = Promise.withResolvers();
    }
  }

  #end(ended: { readonly thrown: unknown }): void {
    this.#ended ??= ended;
    this.#changed.resolve();
  }
}
