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
  readonly #plain: TokenMask;
  readonly #limit: number;
  readonly #known = new Map<State, TokenMask>();
  readonly #path: State[];

  /** @param vocabSize of the model's logits, at least that of `vocabulary` */
  constructor(vocabulary: Vocabulary, { vocabSize, maxBytes }: { readonly vocabSize: number; readonly maxBytes: number }) {
    const words = Math.ceil(vocabSize / 32);
    this.#vocabulary = vocabulary;
    this.#plain = new Uint32Array(words);
    for (const id of vocabulary.plain) set(this.#plain, id);
    this.#limit = Math.max(1, Math.floor(maxBytes / (4 * words)));
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
    const anyPlain = plainText.mayFollow(state, MASK_WORK / 2);
    const mask = anyPlain ? this.#plain.slice() : new Uint32Array(this.#plain.length);
    this.#walk(anyPlain ? this.#vocabulary.special : this.#vocabulary.all, { states, state, mask, limit });
    for (const id of states.automaton.tokenIds) if (states.afterToken(state, id) !== null) set(mask, id);
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
