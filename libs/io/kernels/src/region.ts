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
  readonly #holes: Hole[];
  readonly #taken = new Map<number, number>();
  #takenBytes = 0;

  /** The bytes [first, end). */
  constructor(first: number, end: number) {
    assert(first % ALIGNMENT === 0 && first <= end, 'a region begins at a cache line and before its end');
    this.#holes = first < end ? [{ at: first, bytes: end - first }] : [];
  }

  /** Where so many bytes are the caller's from now on; null where there is no hole for them. */
  take(bytes: number): number | null {
    const needed = Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
    let best = -1;
    this.#holes.forEach((hole, nth) => {
      if (hole.bytes >= needed && (best < 0 || hole.bytes < this.#holes[best]!.bytes)) best = nth;
    });
    if (best < 0) return null;
    const { at, bytes: found } = this.#holes[best]!;
    this.#holes.splice(best, 1, ...(found === needed ? [] : [{ at: at + needed, bytes: found - needed }]));
    this.#taken.set(at, needed);
    this.#takenBytes += needed;
    return at;
  }

  /** Takes back what begins there; that nothing does is a bug. */
  give(at: number): void {
    const bytes = this.#taken.get(at);
    assert(bytes !== undefined, 'what is given back was taken');
    this.#taken.delete(at);
    this.#takenBytes -= bytes;
    const behind = this.#holes.findIndex((hole) => hole.at > at);
    const nth = behind < 0 ? this.#holes.length : behind;
    const [before, after] = [this.#holes[nth - 1], this.#holes[nth]];
    const joinsBefore = before !== undefined && before.at + before.bytes === at;
    const joinsAfter = after !== undefined && at + bytes === after.at;
    const first = joinsBefore ? before.at : at;
    const end = joinsAfter ? after.at + after.bytes : at + bytes;
    this.#holes.splice(nth - Number(joinsBefore), Number(joinsBefore) + Number(joinsAfter), { at: first, bytes: end - first });
  }

  /** Bytes in use. */
  get taken(): number {
    return this.#takenBytes;
  }
}
