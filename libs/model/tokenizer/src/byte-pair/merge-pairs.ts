import { PairHeap } from './pair-heap.ts';

/** Place of a piece among those that may be joined, lowest first; undefined for what is no piece. */
export type RankOf = (piece: string) => number | undefined;

/**
 * Byte-pair encoding: joins the two neighbours whose join has the lowest rank, the leftmost of equals, until no join is a piece.
 * `starts` are the ascending places in the text where its first symbols begin, from 0. Its time grows as n log n: one long run of
 * letters, which a client may send, must not cost the square of its length.
 */
export function mergePairs(text: string, starts: Uint32Array, rankOf: RankOf): string[] {
  const symbols = new Symbols(starts, text.length);
  const heap = new PairHeap();
  const consider = (left: number): void => {
    const end = symbols.pairEnd(left);
    const rank = end === null ? undefined : rankOf(text.slice(starts[left], end));
    if (rank !== undefined) heap.push({ rank, left, end: end! });
  };
  for (let left = 0; left < starts.length - 1; left++) consider(left);
  for (let pair = heap.pop(); pair !== null; pair = heap.pop()) {
    // A pair of which one side was joined to something else meanwhile ends elsewhere, or begins with nothing.
    if (symbols.pairEnd(pair.left) !== pair.end) continue;
    const before = symbols.join(pair.left);
    consider(pair.left);
    if (before !== null) consider(before);
  }
  return symbols.extents().map(([start, end]) => text.slice(start, end));
}

const NONE = 0xffff_ffff;

/** The symbols of a text as a list linked both ways: each is named by its index in `starts`, and a join keeps the left one's. */
class Symbols {
  readonly #starts: Uint32Array;
  readonly #end: number;
  readonly #next: Uint32Array;
  readonly #previous: Uint32Array;

  constructor(starts: Uint32Array, end: number) {
    this.#starts = starts;
    this.#end = end;
    this.#next = Uint32Array.from(starts, (_, index) => (index + 1 < starts.length ? index + 1 : NONE));
    this.#previous = Uint32Array.from(starts, (_, index) => (index > 0 ? index - 1 : NONE));
  }

  /** Where the symbol after this one ends; null where none follows, also for a symbol that was joined to another. */
  pairEnd(left: number): number | null {
    const right = this.#next[left]!;
    if (right === NONE) return null;
    const after = this.#next[right]!;
    return after === NONE ? this.#end : this.#starts[after]!;
  }

  /** Takes the next symbol into this one. Returns the one before, null where this is the first. */
  join(left: number): number | null {
    const right = this.#next[left]!;
    const after = this.#next[right]!;
    this.#next[left] = after;
    if (after !== NONE) this.#previous[after] = left;
    this.#next[right] = NONE;
    const before = this.#previous[left]!;
    return before === NONE ? null : before;
  }

  extents(): [start: number, end: number][] {
    const extents: [number, number][] = [];
    for (let index = this.#starts.length === 0 ? NONE : 0; index !== NONE; index = this.#next[index]!) {
      const next = this.#next[index]!;
      extents.push([this.#starts[index]!, next === NONE ? this.#end : this.#starts[next]!]);
    }
    return extents;
  }
}
