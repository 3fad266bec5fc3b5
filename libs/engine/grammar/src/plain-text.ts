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
export const PLAIN_LENGTH = 32;
/** Places at once where a plain text may be: where they are more, tokens are looked at one by one. */
const STATES = 64;

/** How many characters UTF-8 has that begins and ends between two of them; null where one means something in a JSON string, or there are too many. */
export function plainLength(text: Uint8Array): number | null {
  let [place, length] = [0, 0];
  for (; place < text.length; length++) {
    const found = SEQUENCES.find((sequence) => sequence.every(([low, high], ahead) => within(text[place + ahead] ?? -1, low, high)));
    if (found === undefined) return null;
    place += found.length;
  }
  return length <= PLAIN_LENGTH ? length : null;
}

const within = (byte: number, low: number, high: number): boolean => low <= byte && byte <= high;

/** How much plain text may follow, whatever it is. Remembers what it finds of each state; one for each grammar. */
export class PlainText {
  readonly #states: States;
  /** Where one character more leads to, nowhere where none may follow; null where only some may. */
  readonly #after = new WeakMap<State, readonly State[] | null>();

  constructor(states: States) {
    this.#states = states;
  }

  /**
   * So many characters that every plain text of at most as many may follow, and no longer one; `PLAIN_LENGTH` where any may. Null where that depends on
   * the text, and where it takes more than `work` to find.
   */
  mostCharacters(state: State, work: number): number | null {
    const limit = this.#states.work + work;
    let reached: ReadonlySet<State> = new Set([state]);
    for (let length = 0; length < PLAIN_LENGTH; length++) {
      const next = this.#afterAll(reached);
      if (next === null || next.size > STATES || this.#states.work > limit) return null;
      if (next.size === 0) return length;
      // Nothing new will come.
      if (next.size === reached.size && [...next].every((each) => reached.has(each))) break;
      reached = next;
    }
    return PLAIN_LENGTH;
  }

  #afterAll(reached: ReadonlySet<State>): ReadonlySet<State> | null {
    const all = new Set<State>();
    let ended = 0;
    for (const state of reached) {
      const next = this.#afterOne(state);
      if (next === null) return null;
      if (next.length === 0) ended++;
      for (const each of next) all.add(each);
    }
    return ended === 0 || ended === reached.size ? all : null;
  }

  #afterOne(state: State): readonly State[] | null {
    let after = this.#after.get(state);
    if (after === undefined) this.#after.set(state, after = this.#find(state));
    return after;
  }

  #find(state: State): readonly State[] | null {
    if (SEQUENCES.every(([range]) => this.#isClosed(state, range!))) return [];
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

  /** Whether no byte of the range may follow. */
  #isClosed(state: State, [low, high]: readonly [number, number]): boolean {
    const symbols = new Set(this.#states.automaton.classOf.slice(low, high + 1));
    return [...symbols].every((symbol) => this.#states.after(state, symbol) === null);
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
