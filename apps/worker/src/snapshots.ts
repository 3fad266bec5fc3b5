import { assert, type Clock, type ClusterSnapshot } from '@essaim/core';

/** How long an expert call may wait for a placement newer than the one that failed it. */
const NEWER_MS = 1_000;

/** The snapshot in force: swapped whole, never for one of a lower epoch. */
export class Snapshots {
  readonly #clock: Clock;
  #current: ClusterSnapshot | null = null;
  #changed = Promise.withResolvers<ClusterSnapshot>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** 0 before the first one. */
  get epoch(): number {
    return this.#current?.epoch ?? 0;
  }

  get current(): ClusterSnapshot {
    assert(this.#current, 'the first snapshot has come');
    return this.#current;
  }

  /** Takes a snapshot unless one of its epoch or a higher one was taken already; says whether it did. */
  accept(snapshot: ClusterSnapshot): boolean {
    if (snapshot.epoch <= this.epoch) return false;
    this.#current = snapshot;
    this.#changed.resolve(snapshot);
    this.#changed = Promise.withResolvers();
    return true;
  }

  /** The snapshot in force once its epoch is higher than `epoch`; null when that takes too long or the signal aborts. */
  async newerThan(epoch: number, signal: AbortSignal): Promise<ClusterSnapshot | null> {
    const over = new AbortController();
    const waited = this.#clock.sleep(NEWER_MS, AbortSignal.any([signal, over.signal])).then(() => null, () => null);
    try {
      while (this.epoch <= epoch) {
        if ((await Promise.race([this.#changed.promise, waited])) === null) return null;
      }
      return this.current;
    } finally {
      over.abort();
    }
  }
}
