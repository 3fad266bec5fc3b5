import { type Summary, summarise } from '../statistics.ts';

/** Rates by engine, row and round. Of a row that fails in a round, the others stay. */
export class Tally {
  readonly #rates = new Map<string, Map<number, number>>();

  add(engine: string, row: string, { round, rate }: { readonly round: number; readonly rate: number }): void {
    const rates = this.#of(engine, row);
    rates.set(round, rate);
    this.#rates.set(`${engine} ${row}`, rates);
  }

  /** Null without a round. */
  rate(engine: string, row: string): Summary | null {
    return summaryOf([...this.#of(engine, row).values()]);
  }

  /** Of one engine to another within each round that has both; null without one. */
  ratio(engine: string, other: string, row: string): Summary | null {
    const others = this.#of(other, row);
    return summaryOf([...this.#of(engine, row)].flatMap(([round, rate]) => (others.has(round) ? [rate / others.get(round)!] : [])));
  }

  #of(engine: string, row: string): Map<number, number> {
    return this.#rates.get(`${engine} ${row}`) ?? new Map<number, number>();
  }
}

const summaryOf = (values: readonly number[]): Summary | null => (values.length === 0 ? null : summarise(values));
