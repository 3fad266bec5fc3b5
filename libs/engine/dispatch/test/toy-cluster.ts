import { type AppError, type ClusterSnapshot, type Placement, type Replica, type WorkerId, hostedExperts, workerId } from '@essaim/core';
import { Dispatcher, type DispatcherOptions, type ExpertBatch, type ExpertPeer, LocalExperts } from '../src/index.ts';
import { ToyRunner } from './toy-experts.ts';

/** What befalls a call before the worker sees it. A returned error is the call's; otherwise the worker answers. */
export type Mishap = (batch: ExpertBatch, signal: AbortSignal) => AppError | undefined | Promise<AppError | undefined>;

/** Workers in one process, each with its own LocalExperts: only the wire between them is missing. */
export class ToyCluster {
  readonly calls: { readonly worker: WorkerId; readonly batch: ExpertBatch }[] = [];
  readonly mishaps = new Map<WorkerId, Mishap>();
  /** Epoch each worker has applied, where it is not the lead's. */
  readonly appliedEpochs = new Map<WorkerId, number>();
  /** Epochs that somebody waited for the end of. */
  readonly waits: number[] = [];
  /** Pauses that somebody made, in milliseconds. */
  readonly pauses: number[] = [];
  /** What each wait finds, in turn; afterwards nothing newer comes. */
  upcoming: ClusterSnapshot[] = [];
  #snapshot: ClusterSnapshot;

  constructor(placement: Placement) {
    this.#snapshot = snapshotOf(placement, 1);
  }

  publish(snapshot: ClusterSnapshot): void {
    this.#snapshot = snapshot;
  }

  dispatcher(self: WorkerId, options: Partial<DispatcherOptions> = {}): Dispatcher {
    return new Dispatcher({
      self,
      local: this.peer(self),
      peer: (worker) => this.peer(worker),
      snapshot: () => this.#snapshot,
      newerThan: (epoch) => this.#newerThan(epoch),
      deterministic: true,
      clock: { sleep: (durationMs) => Promise.resolve(void this.pauses.push(durationMs)) },
      ...options,
    });
  }

  /** The connection to a worker. */
  peer(worker: WorkerId): ExpertPeer {
    const runner = new ToyRunner(({ layer, expert }) => hostedExperts(this.#snapshot, worker).some((key) => key.layer === layer && key.expert === expert));
    const experts = new LocalExperts({ runner, epoch: () => this.appliedEpochs.get(worker) ?? 0, clock: { nowMs: () => 0, sleep: () => Promise.resolve() } });
    return {
      execute: async (batch, signal) => {
        this.calls.push({ worker, batch });
        const error = await this.mishaps.get(worker)?.(batch, signal);
        if (error !== undefined) throw error;
        return experts.execute(batch, signal);
      },
    };
  }

  #newerThan(epoch: number): Promise<ClusterSnapshot | null> {
    this.waits.push(epoch);
    const next = this.upcoming.shift();
    if (next !== undefined) this.#snapshot = next;
    return Promise.resolve(next ?? null);
  }
}

export const snapshotOf = (placement: Placement, epoch: number): ClusterSnapshot => ({
  clusterId: 'toy', epoch, model: { id: 'toy', directory: '/toy', dtype: 'float32', deterministic: true }, workers: [], placement,
});

export const worker = (nth: number): WorkerId => workerId(`worker-${nth}`);

export const ready = (...nths: number[]): Replica[] => nths.map((nth) => ({ worker: worker(nth), state: 'ready' }));

/** One layer whose expert e has copies on workers e, e + 1 ... (modulo the number of workers). */
export const roundRobin = (expertCount: number, workerCount: number, replicas: number): Placement => [
  Array.from({ length: expertCount }, (_, expert) => ready(...Array.from({ length: replicas }, (_, copy) => (expert + copy) % workerCount))),
];
