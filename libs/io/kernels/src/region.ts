import { assert } from '@essaim/core';

/** Everything begins at a multiple of a cache line. */
const ALIGNMENT = 64;

interface Hole {
  readonly at: number;
  readonly bytes: number;
}

/** Which parts of a memory are in use: the smallest hole that is large enough is taken, and holes beside each other are one. */
export class Region {
  /** In ascending order, never two beside each other. */
  #holes: Hole[];
  readonly #taken = new Map<number, number>();

  /** The bytes [first, end). */
  constructor(first: number, end: number) {
    assert(first % ALIGNMENT === 0, 'a region begins at a cache line');
    this.#holes = [{ at: first, bytes: end - first }];
  }

  /** Where so many bytes are the caller's from now on; null where there is no hole for them. */
  take(bytes: number): number | null {
    const needed = Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
    let best: Hole | null = null;
    for (const hole of this.#holes) if (hole.bytes >= needed && (best === null || hole.bytes < best.bytes)) best = hole;
    if (best === null) return null;
    const { at, bytes: found } = best;
    this.#holes = this.#holes.flatMap((hole) => (hole !== best ? [hole] : found === needed ? [] : [{ at: at + needed, bytes: found - needed }]));
    this.#taken.set(at, needed);
    return at;
  }

  give(at: number): void {
    const bytes = this.#taken.get(at);
    assert(bytes !== undefined, 'what is given back was taken');
    this.#taken.delete(at);
    const before = this.#holes.filter((hole) => hole.at < at);
    const after = this.#holes.slice(before.length);
    let merged: Hole = { at, bytes };
    const [last, next] = [before.at(-1), after[0]];
    if (last !== undefined && last.at + last.bytes === at) {
      merged = { at: last.at, bytes: last.bytes + bytes };
      before.pop();
    }
    if (next !== undefined && at + bytes === next.at) {
      merged = { at: merged.at, bytes: merged.bytes + next.bytes };
      after.shift();
    }
    this.#holes = [...before, merged, ...after];
  }

  /** Bytes in use. */
  get taken(): number {
    return [...this.#taken.values()].reduce((sum, bytes) => sum + bytes, 0);
  }
}
