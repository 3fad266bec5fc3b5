import { type Placement, type Replica, type WorkerId } from '@essaim/core';
import { type Assignment } from '@essaim/placement';

/** What live workers, draining ones included, say they host now. */
export interface HostedExperts {
  isLive(worker: WorkerId): boolean;
  hosts(worker: WorkerId, layer: number, expert: number): boolean;
}

export interface RollOut {
  /** Where copies are to be. */
  readonly target: Assignment;
  /** What readers were told last. */
  readonly published: Placement;
  readonly hosted: HostedExperts;
}

/**
 * What readers are to be told next, on the way from what they were told to the target: make before break. A copy of the target is
 * 'loading' until its worker hosts it. A copy that is no longer wanted but still serves stays until enough wanted ones are ready.
 * What a lost worker held is gone at once.
 */
export function rollOut({ target, published, hosted }: RollOut): Placement {
  return target.map((experts, layer) =>
    experts.map((wanted, expert) => {
      const isReady = (worker: WorkerId): boolean => hosted.hosts(worker, layer, expert);
      const coming = wanted.filter((worker) => hosted.isLive(worker)).map((worker): Replica => ({ worker, state: isReady(worker) ? 'ready' : 'loading' }));
      const missing = wanted.length - coming.filter(({ state }) => state === 'ready').length;
      const going = (published[layer]?.[expert] ?? []).filter(({ worker, state }) => state === 'ready' && !wanted.includes(worker) && isReady(worker));
      return [...coming, ...going.slice(0, missing)];
    }),
  );
}
