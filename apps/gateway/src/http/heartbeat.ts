import { type Clock } from '@essaim/core';

interface HeartbeatOptions {
  readonly everyMs: number;
  readonly clock: Clock;
}

/** The values of a source, and 'quiet' each time that none came for so long. Leaving the loop leaves the source. */
export async function* withHeartbeat<T>(source: AsyncIterable<T>, options: HeartbeatOptions): AsyncGenerator<T | 'quiet', void, undefined> {
  const values = source[Symbol.asyncIterator]();
  const silence = new Silence(options);
  let next = values.next();
  try {
    for (;;) {
      const result = await silence.orQuiet(next);
      if (result === 'quiet') yield result;
      else if (result.done === true) return;
      else {
        yield result.value;
        next = values.next();
      }
    }
  } finally {
    silence.end();
    // Its failure, if it is still to come, has nobody to tell.
    next.catch(() => undefined);
    await values.return?.();
  }
}

/** Watches one wait after another with a single timer: a timer for each token would cost as much as all else that is done for it. */
class Silence {
  readonly #options: HeartbeatOptions;
  readonly #over = new AbortController();
  #sinceMs: number;
  #tell: () => void = () => undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#sinceMs = options.clock.nowMs();
    this.#watch().catch(() => undefined);
  }

  orQuiet<T>(next: Promise<T>): Promise<T | 'quiet'> {
    this.#sinceMs = this.#options.clock.nowMs();
    return new Promise((resolve, reject) => {
      this.#tell = () => resolve('quiet');
      next.then(resolve, reject);
    });
  }

  end(): void {
    this.#over.abort();
  }

  async #watch(): Promise<void> {
    const { clock, everyMs } = this.#options;
    for (;;) {
      const leftMs = this.#sinceMs + everyMs - clock.nowMs();
      if (leftMs > 0) await clock.sleep(leftMs, this.#over.signal);
      else {
        this.#tell();
        this.#sinceMs = clock.nowMs();
      }
    }
  }
}
