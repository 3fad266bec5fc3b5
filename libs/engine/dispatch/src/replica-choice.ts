import { type Replica, type WorkerId } from '@essaim/core';

export interface ReplicaChoiceOptions {
  readonly layer: number;
  /** [expertCount] of this layer. */
  readonly replicas: readonly (readonly Replica[])[];
  readonly self: WorkerId;
  /** Workers that are not called in any case. */
  readonly excluded: ReadonlySet<WorkerId>;
  /** True for workers that are called only where there is nobody else. */
  readonly isSuspect: (worker: WorkerId) => boolean;
}

/**
 * Which replica runs each expert of a row: the lead's own where it has one, else so that the row goes to few workers, else spread by a
 * hash of (layer, expert, lead), so that leads don't all call the same copy. Choices are made under one snapshot and hold for one dispatch.
 */
export class ReplicaChoice {
  readonly #options: ReplicaChoiceOptions;
  readonly #callable = new Map<number, readonly WorkerId[]>();

  constructor(options: ReplicaChoiceOptions) {
    this.#options = options;
  }

  /** One worker per expert of a row, null where none can be called. Greedy set cover: each time the worker that holds most of what is open. */
  choose(experts: readonly number[]): (WorkerId | null)[] {
    const callable = experts.map((expert) => this.#callableFor(expert));
    const chosen = callable.map((workers) => (workers.length === 1 ? workers[0]! : null));
    for (const worker of chosen) if (worker !== null) claim(worker, callable, chosen);
    for (;;) {
      const worker = widest(callable, chosen);
      if (worker === null) return chosen;
      claim(worker, callable, chosen);
    }
  }

  /** Workers for one expert in order of preference; the lead alone where it holds it. */
  #callableFor(expert: number): readonly WorkerId[] {
    let workers = this.#callable.get(expert);
    if (workers === undefined) this.#callable.set(expert, (workers = this.#rank(expert)));
    return workers;
  }

  #rank(expert: number): readonly WorkerId[] {
    const { replicas, self, excluded, isSuspect, layer } = this.#options;
    const ready = (replicas[expert] ?? []).filter(({ worker, state }) => state === 'ready' && !excluded.has(worker)).map(({ worker }) => worker);
    if (ready.includes(self)) return [self];
    const trusted = ready.filter((worker) => !isSuspect(worker));
    const workers = trusted.length > 0 ? trusted : ready;
    if (workers.length < 2) return workers;
    const place = `${layer}/${expert}/${self}/`;
    const ranked = workers.map((worker) => ({ worker, hash: hashOf(place + worker) }));
    return ranked.sort((a, b) => a.hash - b.hash || (a.worker < b.worker ? -1 : 1)).map(({ worker }) => worker);
  }
}

/** Gives `worker` every open expert that it holds. */
function claim(worker: WorkerId, callable: readonly (readonly WorkerId[])[], chosen: (WorkerId | null)[]): void {
  callable.forEach((workers, nth) => {
    if (chosen[nth] === null && workers.includes(worker)) chosen[nth] = worker;
  });
}

/** The worker that holds most open experts, the most preferred among equals; null when nothing open can be placed. */
function widest(callable: readonly (readonly WorkerId[])[], chosen: readonly (WorkerId | null)[]): WorkerId | null {
  const open = callable.filter((_workers, nth) => chosen[nth] === null);
  let best: WorkerId | null = null;
  let bestCount = 0;
  for (const workers of open) {
    for (const worker of workers) {
      const count = open.reduce((sum, others) => sum + Number(others.includes(worker)), 0);
      if (count > bestCount) [best, bestCount] = [worker, count];
    }
  }
  return best;
}

/** FNV-1a, 32 bits (http://www.isthe.com/chongo/tech/comp/fnv), with the finalizer of MurmurHash3 so that near inputs order independently. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
