import { type CompiledGrammar } from './compiled-grammar.ts';
import { refusal } from './refusal.ts';
import { type State, type States } from './states.ts';
import { type TokenTree, type Vocabulary } from './vocabulary.ts';

/** Of finding what one state allows, in places that were looked at: about 100 ms, ten times what the hardest schema in the specs needs. */
const MASK_WORK = 250_000;

/** Which tokens may follow, one bit each: id k is bit k % 32 of word k / 32. */
export type TokenMask = Uint32Array;

/** Masks of all grammars of a vocabulary, the least recently used forgotten. */
export class Masks {
  readonly #vocabulary: Vocabulary;
  /** Of plain tokens of at most so many characters. */
  readonly #plain = new Map<number, TokenMask>();
  readonly #words: number;
  readonly #limit: number;
  readonly #known = new Map<State, TokenMask>();
  readonly #path: State[];

  /** @param vocabSize of the model's logits, at least that of `vocabulary` */
  constructor(vocabulary: Vocabulary, { vocabSize, maxBytes }: { readonly vocabSize: number; readonly maxBytes: number }) {
    this.#words = Math.ceil(vocabSize / 32);
    this.#vocabulary = vocabulary;
    this.#limit = Math.max(1, Math.floor(maxBytes / (4 * this.#words)));
    this.#path = new Array<State>(vocabulary.all.longest + 1);
  }

  /** Not to be changed. Fails with `invalid_argument` where it takes too long to find. */
  of(state: State, grammar: CompiledGrammar): TokenMask {
    let mask = this.#known.get(state);
    if (mask === undefined) mask = this.#find(state, grammar);
    else this.#known.delete(state);
    this.#known.set(state, mask);
    if (this.#known.size > this.#limit) this.#known.delete(this.#known.keys().next().value!);
    return mask;
  }

  /** Where `id` leads to; null where it may not follow. */
  after(state: State, id: number, { states }: CompiledGrammar): State | null {
    const { bytes, parents, nodes } = this.#vocabulary.all;
    const last = nodes[id] ?? -1;
    if (last < 0) return states.afterToken(state, id);
    const path: number[] = [];
    for (let node = last; node >= 0; node = parents[node]!) path.push(bytes[node]!);
    return path.reduceRight<State | null>((reached, byte) => (reached === null ? null : states.afterByte(reached, byte)), state);
  }

  #find(state: State, { states, plainText }: CompiledGrammar): TokenMask {
    const limit = states.work + MASK_WORK;
    const characters = plainText.mostCharacters(state, MASK_WORK / 2);
    const mask = characters === null ? new Uint32Array(this.#words) : this.#plainMask(characters).slice();
    this.#walk(characters === null ? this.#vocabulary.all : this.#vocabulary.special, { states, state, mask, limit });
    for (const id of states.automaton.tokenIds) if (states.afterToken(state, id) !== null) set(mask, id);
    return mask;
  }

  #plainMask(characters: number): TokenMask {
    let mask = this.#plain.get(characters);
    if (mask === undefined) {
      mask = new Uint32Array(this.#words);
      for (const id of this.#vocabulary.plain.subarray(0, this.#vocabulary.plainCounts[characters])) set(mask, id);
      this.#plain.set(characters, mask);
    }
    return mask;
  }

  /** Leaves each branch at the first byte that may not follow. */
  #walk({ bytes, depths, ends, tokens }: TokenTree, { states, state, mask, limit }: { readonly states: States; readonly state: State; readonly mask: TokenMask; readonly limit: number }): void {
    const { classOf } = states.automaton;
    const path = this.#path;
    path[0] = state;
    for (let node = 0; node < bytes.length; ) {
      const depth = depths[node]!;
      const symbol = classOf[bytes[node]!]!;
      const above = path[depth - 1]!;
      let next = above.next[symbol];
      if (next === undefined) {
        next = states.after(above, symbol);
        if (states.work > limit) throw refusal('it takes too long to find which tokens may follow here: simplify the schema, pattern or grammar of this answer');
      }
      if (next === null) {
        node = ends[node]!;
        continue;
      }
      path[depth] = next;
      const id = tokens[node]!;
      if (id >= 0) set(mask, id);
      node++;
    }
  }
}

const set = (mask: TokenMask, id: number): void => void (mask[id >>> 5]! |= 1 << (id & 31));
