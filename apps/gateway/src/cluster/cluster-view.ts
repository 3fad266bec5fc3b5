import { AppError, type Clock, type ClusterSnapshot } from '@essaim/core';
import { type ControlPlaneApi } from '@essaim/rpc';
import { type Logger } from '@essaim/telemetry';

/** One immutable look at the cluster. */
export interface Known {
  /** Null until the control plane has answered for the first time. */
  readonly snapshot: ClusterSnapshot | null;
  /** Aborts when a newer look has taken its place. */
  readonly replaced: AbortSignal;
}

export interface FollowOptions {
  readonly clock: Clock;
  readonly log: Logger;
}

const BACKOFF_MS = { first: 100, last: 2_000 };

/** What this gateway knows of the cluster. One loop writes it; readers hold a look that is swapped whole. */
export class ClusterView {
  #replace = new AbortController();
  #known: Known = { snapshot: null, replaced: this.#replace.signal };

  get known(): Known {
    return this.#known;
  }

  /** Follows the control plane until the signal aborts, and connects again for ever; while it is away, what was last known holds. */
  async follow(controlPlane: Pick<ControlPlaneApi, 'watch'>, { clock, log }: FollowOptions, signal: AbortSignal): Promise<void> {
    for (let backoffMs = BACKOFF_MS.first; !signal.aborted; backoffMs = Math.min(2 * backoffMs, BACKOFF_MS.last)) {
      try {
        for await (const snapshot of controlPlane.watch(signal)) {
          this.take(snapshot);
          backoffMs = BACKOFF_MS.first;
        }
      } catch (thrown) {
        if (!signal.aborted) log.warn({ reason: AppError.from(thrown).message }, 'the control plane is away');
      }
      await clock.sleep(backoffMs, signal).catch(() => undefined);
    }
  }

  /** Swaps the look. Of the same cluster, a lower epoch than the known one is refused: it comes from a control plane that is behind. */
  take(snapshot: ClusterSnapshot): void {
    const before = this.#known.snapshot;
    if (before !== null && before.clusterId === snapshot.clusterId && snapshot.epoch < before.epoch) return;
    const outdated = this.#replace;
    this.#replace = new AbortController();
    this.#known = { snapshot, replaced: this.#replace.signal };
    outdated.abort();
  }
}
