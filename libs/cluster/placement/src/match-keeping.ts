import { assert } from '@essaim/core';

export interface MatchingProblem {
  /** needs[row]: how many different columns the row takes. */
  readonly needs: readonly number[];
  /** rooms[column]: how many rows the column takes. */
  readonly rooms: readonly number[];
  /** kept[row][column]: pairs that exist already and cost nothing; each other pair costs one. */
  readonly kept: readonly (readonly boolean[])[];
}

/**
 * Matches rows to columns at the least cost: [row][column], true where matched. Exact, by successive shortest augmenting paths (Ford and
 * Fulkerson; for instance Ahuja, Magnanti, Orlin: Network Flows, 9.7), and always the same for the same problem.
 * It is a bug to ask for more than the rooms hold.
 */
export function matchKeeping(problem: MatchingProblem): readonly (readonly boolean[])[] {
  const matching = new Matching(problem);
  matching.keepWhatFits();
  while (matching.addCheapest());
  return matching.pairs;
}

/** The way by which a node of the search was reached. A row is reached from a column that would give it up, a column from a row that would take it. */
interface Reach {
  cost: number;
  from: number;
}

class Matching {
  readonly pairs: boolean[][];
  readonly #kept: MatchingProblem['kept'];
  readonly #needs: number[];
  readonly #rooms: number[];

  constructor({ needs, rooms, kept }: MatchingProblem) {
    this.pairs = needs.map(() => rooms.map(() => false));
    this.#kept = kept;
    this.#needs = [...needs];
    this.#rooms = [...rooms];
  }

  /** A start at cost zero: for what it matches, nothing is cheaper, which is what makes the augmentations exact. */
  keepWhatFits(): void {
    this.#kept.forEach((columns, row) =>
      columns.forEach((kept, column) => {
        if (kept && this.#needs[row]! > 0 && this.#rooms[column]! > 0) this.#take(row, column);
      }),
    );
  }

  /** Matches one pair more along the cheapest path; false when every need is met. */
  addCheapest(): boolean {
    // The neediest row first, so that every row has one column before any has two.
    const need = Math.max(...this.#needs);
    if (need <= 0) return false;
    const start = this.#needs.indexOf(need);
    const { rows, columns } = this.#search(start);
    const end = this.#bestEnd(start, columns);
    this.#rooms[end]! -= 1;
    this.#needs[start]! -= 1;
    for (let column = end; ; ) {
      const row = columns[column]!.from;
      this.pairs[row]![column] = true;
      if (row === start) return true;
      column = rows[row]!.from;
      this.pairs[row]![column] = false;
    }
  }

  #take(row: number, column: number): void {
    this.pairs[row]![column] = true;
    this.#needs[row]! -= 1;
    this.#rooms[column]! -= 1;
  }

  /** Cheapest ways from a row to every row and column (Bellman and Ford: giving up a pair that was bought refunds it). */
  #search(start: number): { readonly rows: Reach[]; readonly columns: Reach[] } {
    const rows = this.#needs.map((_, row): Reach => ({ cost: row === start ? 0 : Infinity, from: -1 }));
    const columns = this.#rooms.map((): Reach => ({ cost: Infinity, from: -1 }));
    const queue = [start];
    for (let row = queue.shift(); row !== undefined; row = queue.shift()) {
      for (const column of this.#relaxColumns(row, rows, columns)) queue.push(...this.#relaxRows(column, rows, columns));
    }
    return { rows, columns };
  }

  /** Columns that are reached cheaper through the row. */
  #relaxColumns(row: number, rows: readonly Reach[], columns: Reach[]): number[] {
    const better: number[] = [];
    for (let column = 0; column < columns.length; column++) {
      if (this.pairs[row]![column]) continue;
      const cost = rows[row]!.cost + this.#cost(row, column);
      if (cost < columns[column]!.cost) {
        columns[column] = { cost, from: row };
        better.push(column);
      }
    }
    return better;
  }

  /** Rows that are reached cheaper when the column gives them up. */
  #relaxRows(column: number, rows: Reach[], columns: readonly Reach[]): number[] {
    const better: number[] = [];
    for (let row = 0; row < rows.length; row++) {
      if (!this.pairs[row]![column]) continue;
      const cost = columns[column]!.cost - this.#cost(row, column);
      if (cost < rows[row]!.cost) {
        rows[row] = { cost, from: column };
        better.push(row);
      }
    }
    return better;
  }

  #cost(row: number, column: number): number {
    return this.#kept[row]![column] ? 0 : 1;
  }

  /** The cheapest column with room; among equals the one with the most, then the row's favourite: its columns differ from those of its neighbours. */
  #bestEnd(start: number, columns: readonly Reach[]): number {
    const count = columns.length;
    const taken = this.pairs[start]!.filter(Boolean).length;
    const favourite = start + taken * (1 + Math.floor(start / count));
    const distance = (column: number): number => (((column - favourite) % count) + count) % count;
    const open = [...columns.keys()].filter((column) => this.#rooms[column]! > 0 && columns[column]!.cost < Infinity);
    const [best] = open.sort((a, b) => columns[a]!.cost - columns[b]!.cost || this.#rooms[b]! - this.#rooms[a]! || distance(a) - distance(b));
    assert(best !== undefined, 'a matching has room for every need');
    return best;
  }
}
