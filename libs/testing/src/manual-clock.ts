import { setImmediate } from 'node:timers/promises';
import { type Clock } from '@essaim/core';

const STEP_MS = 50;

interface Sleeper {
  readonly untilMs: number;
  readonly wake: () => void;
}

/** Time that passes only when a test says so. */
export class ManualClock implements Clock {
  readonly #sleepers = new Set<Sleeper>();
  #nowMs = 0;

  /** Waits that have neither ended nor been aborted. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  async sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const sleeper = { untilMs: this.#nowMs + durationMs, wake: resolve };
    const abort = (): void => reject(signal?.reason);
    this.#sleepers.add(sleeper);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      await promise;
    } finally {
      this.#sleepers.delete(sleeper);
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Lets `durationMs` go by at once. Whoever slept no longer than that is woken, but runs only in a later turn. */
  pass(durationMs: number): void {
    this.#nowMs += durationMs;
    for (const { untilMs, wake } of this.#sleepers) if (untilMs <= this.#nowMs) wake();
  }

  /** In steps with turns between them, so that whoever sleeps in a loop wakes as often as with a real clock. */
  async passInSteps(durationMs: number): Promise<void> {
    for (let restMs = durationMs; restMs > 0; restMs -= STEP_MS) {
      this.pass(Math.min(restMs, STEP_MS));
      await setImmediate();
    }
  }
}
