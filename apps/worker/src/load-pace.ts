import { type Clock } from '@essaim/core';

export interface LoadPaceOptions {
  readonly clock: Clock;
  /** Whether somebody waits for what the threads that load compute. */
  readonly isServing: () => boolean;
}

/** For each millisecond of loading: a fifth of the time is loading then. */
const REST = 4;
/** So long after the first of many loads the others no longer rest: a worker that leaves does not wait for ever until its experts are here. */
const PATIENCE_MS = 10_000;
/** A load that comes so long after the last rest is a first one. */
const APART_MS = 1_000;
/** How soon a rest ends once nobody is served any more. */
const LOOK_MS = 50;

/** While somebody is served, loads are done one after the other, since each holds up what is computed, and there is a rest before the next one; but for no longer than ten seconds of many loads. */
export class LoadPace {
  readonly #options: LoadPaceOptions;
  #last: Promise<unknown> = Promise.resolve();
  #restedMs = -Infinity;
  #firstMs = -Infinity;

  constructor(options: LoadPaceOptions) {
    this.#options = options;
  }

  /** Fails as `load` fails; those behind it are loaded all the same. */
  load<T>(load: () => Promise<T>): Promise<T> {
    if (!this.#options.isServing()) return load();
    const result = this.#last.then(() => this.#loadRested(load));
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #loadRested<T>(load: () => Promise<T>): Promise<T> {
    const { clock } = this.#options;
    await this.#rest();
    const beganMs = clock.nowMs();
    try {
      return await load();
    } finally {
      const endedMs = clock.nowMs();
      this.#restedMs = endedMs + REST * (endedMs - beganMs);
    }
  }

  async #rest(): Promise<void> {
    const { clock, isServing } = this.#options;
    if (clock.nowMs() - this.#restedMs > APART_MS) this.#firstMs = clock.nowMs();
    for (;;) {
      const restMs = Math.min(this.#restedMs, this.#firstMs + PATIENCE_MS) - clock.nowMs();
      if (restMs <= 0 || !isServing()) return;
      await clock.sleep(Math.min(restMs, LOOK_MS));
    }
  }
}
