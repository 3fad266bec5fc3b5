import { assert, type Clock, type ClusterSnapshot } from '@essaim/core';

/** How long an expert call may wait for a placement newer than the one that failed it. */
const NEWER_MS = 1_000;

interface Waiter {
  /** It waits for a higher one. */
  readonly epoch: number;
  readonly resolve: (snapshot: ClusterSnapshot | null) => void;
}

/** The snapshot in force: swapped whole, never for one of a lower epoch. */
export class Snapshots {
  readonly #clock: Clock;
  /** Gone when their time is over, so that a cluster which stays as it is gathers none. */
  readonly #waiters = new Set<Waiter>();
  #current: ClusterSnapshot | null = null;

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
    for (const { epoch, resolve } of this.#waiters) if (snapshot.epoch > epoch) resolve(snapshot);
    return true;
  }

  /** The snapshot in force once its epoch is higher than `epoch`; null when that takes too long or the signal aborts. */
  async newerThan(epoch: number, signal: AbortSignal): Promise<ClusterSnapshot | null> {
    if (this.epoch > epoch) return this.current;
    const { promise, resolve } = Promise.withResolvers<ClusterSnapshot | null>();
    const waiter = { epoch, resolve };
    const over = new AbortController();
    this.#waiters.add(waiter);
    const late = (): void => resolve(null);
    this.#clock.sleep(NEWER_MS, AbortSignal.any([signal, over.signal])).then(late, late);
    try {
      return await promise;
    } finally {
      this.#waiters.delete(waiter);
      over.abort();
    }
  }
}
