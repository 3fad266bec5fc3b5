import { type Constraint } from '@essaim/core';
import { type CompiledGrammar } from './compiled-grammar.ts';
import { compileConstraint } from './constraint.ts';

/** Each may hold a few MiB of what was found out. */
const GRAMMARS = 32;
/** Of all of them, about 50 MiB. */
const POSITIONS = 500_000;

/** The grammars of the latest constraints: most clients ask for the same again and again. */
export class GrammarCache {
  readonly #known = new Map<string, CompiledGrammar>();
  #positions = 0;

  /** Fails as `compileConstraint` does. */
  of(constraint: Constraint): CompiledGrammar {
    const key = JSON.stringify(constraint);
    const known = this.#known.get(key);
    const grammar = known ?? compileConstraint(constraint);
    if (known !== undefined) this.#forget(key);
    this.#known.set(key, grammar);
    this.#positions += grammar.size;
    while (this.#known.size > GRAMMARS || (this.#positions > POSITIONS && this.#known.size > 1)) this.#forget(this.#known.keys().next().value!);
    return grammar;
  }

  #forget(key: string): void {
    this.#positions -= this.#known.get(key)!.size;
    this.#known.delete(key);
  }
}
