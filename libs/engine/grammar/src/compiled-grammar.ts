import { compileGrammar } from './build-automaton.ts';
import { type Grammar } from './expression.ts';
import { PlainText } from './plain-text.ts';
import { States } from './states.ts';

/** A grammar that answers can be matched against, whatever the vocabulary; it remembers what it found out for one answer for all others. */
export class CompiledGrammar {
  readonly states: States;
  readonly plainText: PlainText;

  /** Fails with `invalid_argument` for a grammar that is too large, or in which a rule begins with itself. */
  constructor(grammar: Grammar) {
    this.states = new States(compileGrammar(grammar));
    this.plainText = new PlainText(this.states);
  }

  /** Places in it. */
  get size(): number {
    return this.states.automaton.positions.length;
  }
}
