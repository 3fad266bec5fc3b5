/** A pair of neighbours that may be joined: the place of the left one, and where the right one ended when the pair was seen. */
export interface Pair {
  readonly rank: number;
  readonly left: number;
  readonly end: number;
}

/** Pairs, lowest rank first, the leftmost of equals. A binary heap in flat arrays: a long text has millions of pairs. */
export class PairHeap {
  readonly #ranks: number[] = [];
  readonly #lefts: number[] = [];
  readonly #ends: number[] = [];

  push({ rank, left, end }: Pair): void {
    let place = this.#ranks.length;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!this.#isBefore(rank, left, parent)) break;
      this.#move(parent, place);
      place = parent;
    }
    this.#set(place, rank, left, end);
  }

  pop(): Pair | null {
    const size = this.#ranks.length;
    if (size === 0) return null;
    const top = { rank: this.#ranks[0]!, left: this.#lefts[0]!, end: this.#ends[0]! };
    const [rank, left, end] = [this.#ranks.pop()!, this.#lefts.pop()!, this.#ends.pop()!];
    if (size > 1) this.#sink(rank, left, end);
    return top;
  }

  /** From the top, down to where nothing below is before it. */
  #sink(rank: number, left: number, end: number): void {
    const size = this.#ranks.length;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child + 1 < size && this.#isBefore(this.#ranks[child + 1]!, this.#lefts[child + 1]!, child)) child++;
      if (child >= size || this.#isBefore(rank, left, child)) break;
      this.#move(child, place);
      place = child;
    }
    this.#set(place, rank, left, end);
  }

  #isBefore(rank: number, left: number, place: number): boolean {
    const other = this.#ranks[place]!;
    return rank < other || (rank === other && left < this.#lefts[place]!);
  }

  #move(from: number, to: number): void {
    this.#set(to, this.#ranks[from]!, this.#lefts[from]!, this.#ends[from]!);
  }

  #set(place: number, rank: number, left: number, end: number): void {
    this.#ranks[place] = rank;
    this.#lefts[place] = left;
    this.#ends[place] = end;
  }
}
