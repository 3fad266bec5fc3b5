import { type Position } from './automaton.ts';
import { refusal } from './refusal.ts';

/**
 * Whoever follows a grammar goes into a rule before it reads anything of it, and would never come back from one that begins with itself.
 * Fails with `invalid_argument` where there is one.
 */
export function refuseLeftRecursion(positions: readonly Position[], starts: readonly number[], nameOf: (rule: number) => string): void {
  const beginnings = new Beginnings(positions, starts);
  const open = new Set<number>();
  const done = new Set<number>();
  for (let first = 0; first < starts.length; first++) {
    const path: { readonly rule: number; readonly rest: number[] }[] = [];
    const enter = (rule: number): void => {
      if (open.has(rule)) throw refusal(`the rule ${nameOf(rule)} begins with itself, by way of others: let it begin with something else, or write it as a repetition`);
      if (done.has(rule)) return;
      open.add(rule);
      path.push({ rule, rest: [...beginnings.callsOf(rule)] });
    };
    enter(first);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const next = top.rest.pop();
      if (next !== undefined) enter(next);
      else {
        open.delete(top.rule);
        done.add(top.rule);
        path.pop();
      }
    }
  }
}

/** What each rule goes into before it reads anything. Where a rule may be empty, that is what stands behind it too: each place is looked at once. */
class Beginnings {
  readonly #positions: readonly Position[];
  readonly #calls: readonly Set<number>[];
  readonly #seen: readonly Set<number>[];
  readonly #empty = new Set<number>();
  readonly #newlyEmpty: number[] = [];
  /** Who goes on where, should the rule turn out to be empty. */
  readonly #behind: readonly { readonly rule: number; readonly place: number }[][];

  constructor(positions: readonly Position[], starts: readonly number[]) {
    this.#positions = positions;
    this.#calls = starts.map(() => new Set());
    this.#seen = starts.map(() => new Set());
    this.#behind = starts.map(() => []);
    starts.forEach((start, rule) => this.#follow(rule, start));
    for (let rule = this.#newlyEmpty.pop(); rule !== undefined; rule = this.#newlyEmpty.pop()) {
      for (const waiting of this.#behind[rule]!) this.#follow(waiting.rule, waiting.place);
    }
  }

  callsOf(rule: number): ReadonlySet<number> {
    return this.#calls[rule]!;
  }

  #follow(rule: number, from: number): void {
    const open = [from];
    const seen = this.#seen[rule]!;
    for (let place = open.pop(); place !== undefined; place = open.pop()) {
      if (seen.has(place)) continue;
      seen.add(place);
      const position = this.#positions[place]!;
      if (position.kind === 'end' && !this.#empty.has(rule)) {
        this.#empty.add(rule);
        this.#newlyEmpty.push(rule);
      }
      if (position.kind === 'split') open.push(...position.to);
      if (position.kind === 'call') {
        this.#calls[rule]!.add(position.rule);
        this.#behind[position.rule]!.push({ rule, place: position.to });
        if (this.#empty.has(position.rule)) open.push(position.to);
      }
    }
  }
}
