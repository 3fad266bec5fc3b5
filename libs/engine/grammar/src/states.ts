import { type Automaton, END } from './automaton.ts';
import { refusal } from './refusal.ts';

/** Where a rule that was gone into goes on, and where the rule around that one does. */
interface Return {
  readonly id: number;
  readonly to: number;
  readonly below: Return | null;
}

/** Where one may be after some text: each place with the way back from it. Two texts that allow the same to follow have the same state. */
export class State {
  /** The places that read a byte or a token, and the way back from each. */
  readonly places: Int32Array;
  readonly returns: readonly (Return | null)[];
  /** The text may end here. */
  readonly isComplete: boolean;
  /** By class of byte, then by token; null where nothing follows, undefined where nobody has asked yet. */
  readonly next: (State | null | undefined)[];

  constructor(places: Int32Array, returns: readonly (Return | null)[], { isComplete, symbols }: { readonly isComplete: boolean; readonly symbols: number }) {
    this.places = places;
    this.returns = returns;
    this.isComplete = isComplete;
    this.next = new Array<State | null | undefined>(symbols).fill(undefined);
  }

  /** Nothing can follow. */
  get isLast(): boolean {
    return this.places.length === 0;
  }
}

/** Ways out of all states of one grammar that are remembered, about 16 bytes each with what belongs to them; then it starts to remember anew. */
const WAYS = 1 << 18;
/** Single places whose states are remembered; then that starts anew. */
const SINGLES = 1 << 15;
/** Places of one state: a grammar in which one text means so many things is one that nobody meant. */
const PLACES = 8_192;

/**
 * The states of a grammar, made when a text first leads to them: a deterministic automaton over bytes, of which rules that contain
 * themselves have as many as anybody goes to.
 */
export class States {
  readonly automaton: Automaton;
  readonly #classes: number;
  readonly #symbols: number;
  readonly #symbolOf: ReadonlyMap<number, number>;
  #known = new Map<string, State>();
  #returns = new Map<string, Return>();
  /** Of places that were alone, with the way back. */
  #singles = new Map<number, State | null>();
  #start: State | null = null;
  #newReturns = 0;
  #work = 0;

  constructor(automaton: Automaton) {
    this.automaton = automaton;
    this.#classes = automaton.byteOf.length;
    this.#symbols = this.#classes + automaton.tokenIds.length;
    this.#symbolOf = new Map(automaton.tokenIds.map((id, place) => [id, this.#classes + place]));
  }

  /** Before any text. */
  get start(): State {
    this.#start ??= this.#intern([[this.automaton.start, null]]) ?? this.#state(new Int32Array(), [], false);
    return this.#start;
  }

  /** Places that were looked at so far, to find states: a measure of the time that took, whatever the machine. */
  get work(): number {
    return this.#work;
  }

  afterByte(state: State, byte: number): State | null {
    return this.after(state, this.automaton.classOf[byte]!);
  }

  /** Of a token that is no text. */
  afterToken(state: State, id: number): State | null {
    const symbol = this.#symbolOf.get(id);
    return symbol === undefined ? null : this.after(state, symbol);
  }

  /** By class of a byte, or number of a token behind all classes. */
  after(state: State, symbol: number): State | null {
    const known = state.next[symbol];
    if (known !== undefined) return known;
    const targets = this.#targets(state, symbol);
    const next = targets.length === 1 ? this.#single(targets[0]!) : this.#intern(targets);
    state.next[symbol] = next;
    return next;
  }

  #targets({ places, returns }: State, symbol: number): [place: number, back: Return | null][] {
    const targets: [number, Return | null][] = [];
    const byte = this.automaton.byteOf[symbol];
    const tokenId = this.automaton.tokenIds[symbol - this.#classes];
    places.forEach((place, index) => {
      const position = this.automaton.positions[place]!;
      if (position.kind === 'token' && byte === undefined && position.id === tokenId) targets.push([position.to, returns[index]!]);
      if (position.kind !== 'bytes' || byte === undefined) return;
      for (const { low, high, to } of position.edges) if (low <= byte && byte <= high) targets.push([to, returns[index]!]);
    });
    return targets;
  }

  /** Most symbols lead to one place, and many of a state to the same. */
  #single(target: [place: number, back: Return | null]): State | null {
    const key = this.#keyOf(target);
    let state = this.#singles.get(key);
    if (state === undefined) {
      state = this.#intern([target]);
      if (this.#singles.size >= SINGLES) this.#singles.clear();
      this.#singles.set(key, state);
    }
    return state;
  }

  #keyOf([place, back]: [place: number, back: Return | null]): number {
    return place + this.automaton.positions.length * (back?.id ?? 0);
  }

  /** All that can be reached without reading anything; null where that is nothing. */
  #intern(open: [place: number, back: Return | null][]): State | null {
    const seen = new Set<number>();
    const found: number[] = [];
    const backOf = new Map<number, Return | null>();
    const count = this.automaton.positions.length;
    let isComplete = false;
    for (let top = open.pop(); top !== undefined; top = open.pop()) {
      const [place, back] = top;
      const key = this.#keyOf(top);
      if (seen.has(key)) continue;
      seen.add(key);
      const position = this.automaton.positions[place]!;
      if (position.kind === 'end') {
        if (back === null) isComplete = true;
        else open.push([back.to, back.below]);
      } else if (position.kind === 'split') for (const to of position.to) open.push([to, back]);
      else if (position.kind === 'call') open.push([this.automaton.starts[position.rule]!, this.#return(position.to, back)]);
      else if (position.kind !== 'bytes' || position.edges.length > 0) {
        found.push(key);
        backOf.set(key, back);
      }
      if (seen.size > PLACES) throw refusal(`a grammar of this answer can be read in more than ${PLACES} ways at one place: make it less ambiguous`);
    }
    this.#work += seen.size;
    if (found.length === 0 && !isComplete) return null;
    const keys = Float64Array.from(found).sort();
    const name = `${isComplete ? '.' : ''}${keys.join(' ')}`;
    let state = this.#known.get(name);
    if (state === undefined) {
      if ((this.#known.size + 1) * this.#symbols > WAYS) this.#forget();
      state = this.#state(Int32Array.from(keys, (key) => key % count), Array.from(keys, (key) => backOf.get(key)!), isComplete);
      this.#known.set(name, state);
    }
    return state;
  }

  #state(places: Int32Array, returns: readonly (Return | null)[], isComplete: boolean): State {
    return new State(places, returns, { isComplete, symbols: this.#symbols });
  }

  /** Whoever is last in its rule goes back to where the rule itself would. */
  #return(to: number, below: Return | null): Return | null {
    if (to === END) return below;
    const key = `${to} ${below?.id ?? 0}`;
    let known = this.#returns.get(key);
    if (known === undefined) this.#returns.set(key, known = { id: ++this.#newReturns, to, below });
    return known;
  }

  /** States that somebody is in stay as they are. Numbers of returns are never used twice, so that names of old and new states differ. */
  #forget(): void {
    this.#known = new Map();
    this.#returns = new Map();
    this.#singles = new Map();
    this.#start = null;
  }
}
