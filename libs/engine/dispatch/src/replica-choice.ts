import { type Replica, type WorkerId } from '@essaim/core';
import { rowOf } from './expert-call.ts';
import { type Routing } from './routing.ts';

export interface ReplicaChoiceOptions {
  readonly layer: number;
  /** [expertCount] of this layer. */
  readonly replicas: readonly (readonly Replica[])[];
  readonly self: WorkerId;
  /** Workers that fast links join to the lead: others are called only for what none of these has. */
  readonly near: ReadonlySet<WorkerId>;
  /** Workers that are not called in any case. */
  readonly excluded: ReadonlySet<WorkerId>;
  /** True for workers that are called only where there is nobody else. */
  readonly isSuspect: (worker: WorkerId) => boolean;
}

/**
 * Which replica runs each expert of a row: the lead's own where it has one, else one that fast links join to it, else so that the row goes to few workers, else spread by a
 * hash of (layer, expert, lead), so that leads don't all call the same copy. Choices hold for one snapshot and as long as nobody new is suspected.
 */
export class ReplicaChoice {
  /** Those that may be chosen, the lead last: its own experts would keep it from calling the others. */
  readonly workers: readonly WorkerId[];
  readonly #options: ReplicaChoiceOptions;
  /** By expert: indices into `workers`, in order of preference; filled when first asked for. */
  readonly #callable: (readonly number[] | undefined)[] = [];

  constructor(options: ReplicaChoiceOptions) {
    const { replicas, self } = options;
    const others = new Set(replicas.flatMap((ofExpert) => ofExpert.map(({ worker }) => worker)));
    others.delete(self);
    this.workers = [...others, self];
    this.#options = options;
  }

  /** Stands for nobody among the choices. */
  get nobody(): number {
    return this.workers.length;
  }

  /** For each of `pairs` (ascending) the index of a worker in `workers`, or `nobody` where none can be called. */
  choose(pairs: Uint32Array, routing: Routing): Uint32Array {
    const chosen = new Uint32Array(pairs.length).fill(this.nobody);
    let [first, isOpen] = [0, false];
    for (let nth = 0; nth < pairs.length; nth++) {
      const workers = this.#callableFor(routing.experts[pairs[nth]!]!);
      if (workers.length === 1) chosen[nth] = workers[0]!;
      isOpen ||= workers.length > 1;
      if (nth + 1 < pairs.length && rowOf(pairs[nth + 1]!, routing) === rowOf(pairs[nth]!, routing)) continue;
      if (isOpen) this.#cover(Array.from(pairs.subarray(first, nth + 1), (pair) => this.#callableFor(routing.experts[pair]!)), chosen.subarray(first, nth + 1));
      [first, isOpen] = [nth + 1, false];
    }
    return chosen;
  }

  /** Chooses for what is open in a row: greedy set cover, each time the worker that holds most of it. */
  #cover(callable: readonly (readonly number[])[], chosen: Uint32Array): void {
    for (const worker of chosen) if (worker !== this.nobody) this.#claim(worker, callable, chosen);
    for (let worker = this.#widest(callable, chosen); worker !== this.nobody; worker = this.#widest(callable, chosen)) this.#claim(worker, callable, chosen);
  }

  /** Gives `worker` every open expert that it holds. */
  #claim(worker: number, callable: readonly (readonly number[])[], chosen: Uint32Array): void {
    callable.forEach((workers, nth) => {
      if (chosen[nth] === this.nobody && workers.includes(worker)) chosen[nth] = worker;
    });
  }

  /** The worker that holds most open experts, the most preferred among equals; nobody when nothing open can be placed. */
  #widest(callable: readonly (readonly number[])[], chosen: Uint32Array): number {
    const open = callable.filter((_workers, nth) => chosen[nth] === this.nobody);
    let [best, bestCount] = [this.nobody, 0];
    for (const workers of open) {
      for (const worker of workers) {
        const count = open.reduce((sum, others) => sum + Number(others.includes(worker)), 0);
        if (count > bestCount) [best, bestCount] = [worker, count];
      }
    }
    return best;
  }

  #callableFor(expert: number): readonly number[] {
    return (this.#callable[expert] ??= this.#rank(expert).map((worker) => this.workers.indexOf(worker)));
  }

  /** Workers for one expert in order of preference; the lead alone where it holds it. */
  #rank(expert: number): readonly WorkerId[] {
    const { replicas, self, near, excluded, isSuspect, layer } = this.#options;
    const ready = (replicas[expert] ?? []).filter(({ worker, state }) => state === 'ready' && !excluded.has(worker)).map(({ worker }) => worker);
    if (ready.includes(self)) return [self];
    const trusted = ready.filter((worker) => !isSuspect(worker));
    const nearby = trusted.filter((worker) => near.has(worker));
    const workers = [nearby, trusted, ready].find(({ length }) => length > 0) ?? [];
    if (workers.length < 2) return workers;
    const place = `${layer}/${expert}/${self}/`;
    const ranked = workers.map((worker) => ({ worker, hash: hashOf(place + worker) }));
    return ranked.sort((a, b) => a.hash - b.hash || (a.worker < b.worker ? -1 : 1)).map(({ worker }) => worker);
  }
}

/** FNV-1a, 32 bits (http://www.isthe.com/chongo/tech/comp/fnv), with the finalizer of MurmurHash3 so that near inputs order independently. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
