import { allBut, characters } from './characters.ts';
import { type State, type States } from './states.ts';
import { utf8Ranges } from './utf8-ranges.ts';

/**
 * Characters that stand for themselves inside a JSON string, as they do in most that an answer may hold: nearly all tokens are made of
 * them alone. Where any plain text may follow, nobody needs to look at these tokens one by one.
 */
const PLAIN = allBut(characters([[0x00, 0x1f], [0x22, 0x22], [0x5c, 0x5c]]));
const SEQUENCES = PLAIN.flatMap(([from, to]) => utf8Ranges(from, to));
/** The longest plain token, in characters; the few longer ones count as not plain. */
const LENGTH = 32;
/** Places at once where a plain text may be: where they are more, tokens are looked at one by one. */
const STATES = 64;

/** True of UTF-8 that begins and ends between two characters, none of which means anything in a JSON string. */
export function isPlain(text: Uint8Array): boolean {
  let [place, length] = [0, 0];
  for (; place < text.length; length++) {
    const found = SEQUENCES.find((sequence) => sequence.every(([low, high], ahead) => within(text[place + ahead] ?? -1, low, high)));
    if (found === undefined) return false;
    place += found.length;
  }
  return length <= LENGTH;
}

const within = (byte: number, low: number, high: number): boolean => low <= byte && byte <= high;

/** Whether every plain token may follow. Remembers what it finds of each state; one for each grammar. */
export class PlainText {
  readonly #states: States;
  /** Where one character more leads to; null where one of them may not follow. */
  readonly #after = new WeakMap<State, readonly State[] | null>();

  constructor(states: States) {
    this.#states = states;
  }

  /** False too where that takes more than `work` to find. */
  mayFollow(state: State, work: number): boolean {
    const limit = this.#states.work + work;
    let reached: ReadonlySet<State> = new Set([state]);
    for (let length = 0; length < LENGTH; length++) {
      const next = this.#afterAll(reached);
      if (next === null || next.size > STATES || this.#states.work > limit) return false;
      // Nothing new will come.
      if (next.size === reached.size && [...next].every((each) => reached.has(each))) return true;
      reached = next;
    }
    return true;
  }

  #afterAll(reached: ReadonlySet<State>): ReadonlySet<State> | null {
    const all = new Set<State>();
    for (const state of reached) {
      const next = this.#afterOne(state);
      if (next === null) return null;
      for (const each of next) all.add(each);
    }
    return all;
  }

  #afterOne(state: State): readonly State[] | null {
    let after = this.#after.get(state);
    if (after === undefined) this.#after.set(state, after = this.#find(state));
    return after;
  }

  #find(state: State): readonly State[] | null {
    const found = new Set<State>();
    for (const sequence of SEQUENCES) {
      let reached = new Set([state]);
      for (const [low, high] of sequence) {
        const next = new Set<State>();
        for (const each of reached) if (!this.#addAfter(each, low, high, next)) return null;
        reached = next;
      }
      for (const each of reached) found.add(each);
    }
    return [...found];
  }

  /** False where a byte of the range may not follow. */
  #addAfter(state: State, low: number, high: number, found: Set<State>): boolean {
    const { classOf } = this.#states.automaton;
    for (let byte = low, symbol = -1; byte <= high; byte++) {
      if (classOf[byte] === symbol) continue;
      symbol = classOf[byte]!;
      const next = this.#states.after(state, symbol);
      if (next === null) return false;
      found.add(next);
    }
    return true;
  }
}
