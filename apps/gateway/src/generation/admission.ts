import { AppError } from '@essaim/core';

/** Sequences that one gateway has under way: each holds an HTTP or gRPC stream and a few hundred KiB at most. */
const SEQUENCES = 1_024;

/** The door: a permit is taken before any work and given back when the answer is over. */
export class Admission {
  readonly #limit: number;
  #inFlight = 0;
  #closed = false;
  #idle = Promise.withResolvers<void>();

  constructor(limit = SEQUENCES) {
    this.#limit = limit;
    this.#idle.resolve();
  }

  get sequencesInFlight(): number {
    return this.#inFlight;
  }

  /** Fails with `resource_exhausted` when too many are under way, with `unavailable` after `close`. Disposing of the permit gives it back. */
  admit(sequences: number): Disposable {
    if (this.#closed) throw new AppError('unavailable', 'this gateway is shutting down: use another one');
    if (this.#inFlight + sequences > this.#limit) throw new AppError('resource_exhausted', `${this.#inFlight} of ${this.#limit} answers are under way on this gateway: retry in a second`);
    if (this.#inFlight === 0) this.#idle = Promise.withResolvers();
    this.#inFlight += sequences;
    return { [Symbol.dispose]: () => this.#giveBack(sequences) };
  }

  /** Nothing new comes in; resolves when what is under way is over. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#idle.promise;
  }

  #giveBack(sequences: number): void {
    this.#inFlight -= sequences;
    if (this.#inFlight === 0) this.#idle.resolve();
  }
}
