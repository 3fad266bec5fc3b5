import { type CompiledGrammar } from './compiled-grammar.ts';
import { type Masks, type TokenMask } from './masks.ts';
import { type State } from './states.ts';

/** One answer on its way through a grammar. */
export class TokenMatcher {
  readonly #grammar: CompiledGrammar;
  readonly #masks: Masks;
  #state: State;

  constructor(grammar: CompiledGrammar, masks: Masks) {
    this.#grammar = grammar;
    this.#masks = masks;
    this.#state = grammar.states.start;
  }

  /** The answer may end here. */
  get isComplete(): boolean {
    return this.#state.isComplete;
  }

  /** It must: nothing can follow. */
  get isOver(): boolean {
    return this.#state.isComplete && this.#state.isLast;
  }

  /** Ids that may be next, as bits. Not to be changed. */
  mask(): TokenMask {
    return this.#masks.of(this.#state, this.#grammar);
  }

  /** False, and nothing changes, where the token may not follow. */
  accept(id: number): boolean {
    const next = this.#masks.after(this.#state, id, this.#grammar);
    if (next !== null) this.#state = next;
    return next !== null;
  }

  /** How many of `ids`, from the first on, may follow one after the other. */
  reach(ids: readonly number[]): number {
    let state: State | null = this.#state;
    for (const [place, id] of ids.entries()) {
      state = this.#masks.after(state, id, this.#grammar);
      if (state === null) return place;
    }
    return ids.length;
  }
}
