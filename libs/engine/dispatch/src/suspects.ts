import { type WorkerId } from '@essaim/core';

/** Steps after which a worker that did not answer is tried again although nothing newer is known of it. */
export const SUSPICION_STEPS = 256;

/**
 * Workers that did not answer a call, avoided while other replicas exist: each until a newer snapshot says who lives, or for
 * SUSPICION_STEPS, since one that merely stumbled is never in a newer one. Holds at most the workers of one snapshot.
 */
export class Suspects {
  readonly #sinceStep = new Map<WorkerId, number>();
  #epoch = -1;

  add(worker: WorkerId, step: number): void {
    this.#sinceStep.set(worker, step);
  }

  has(worker: WorkerId, step: number): boolean {
    const since = this.#sinceStep.get(worker);
    return since !== undefined && step - since < SUSPICION_STEPS;
  }

  /** Whether anybody is avoided; forgets those who no longer are. */
  any(step: number): boolean {
    for (const worker of this.#sinceStep.keys()) if (!this.has(worker, step)) this.#sinceStep.delete(worker);
    return this.#sinceStep.size > 0;
  }

  /** Acquits everyone when `epoch` is newer than all before. */
  observe(epoch: number): void {
    if (epoch <= this.#epoch) return;
    this.#epoch = epoch;
    this.#sinceStep.clear();
  }
}
