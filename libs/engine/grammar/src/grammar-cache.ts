import { type Constraint } from '@essaim/core';
import { type CompiledGrammar } from './compiled-grammar.ts';
import { compileConstraint } from './constraint.ts';

/** Each may hold a few MiB of what was found out. */
const GRAMMARS = 32;

/** The grammars of the latest constraints: most clients ask for the same again and again. */
export class GrammarCache {
  readonly #known = new Map<string, CompiledGrammar>();

  /** Fails as `compileConstraint` does. */
  of(constraint: Constraint): CompiledGrammar {
    const key = JSON.stringify(constraint);
    const grammar = this.#known.get(key) ?? compileConstraint(constraint);
    this.#known.delete(key);
    this.#known.set(key, grammar);
    if (this.#known.size > GRAMMARS) this.#known.delete(this.#known.keys().next().value!);
    return grammar;
  }
}
