import { type Constraint, LIMITS } from '@essaim/core';
import { choice, type Expression, repeat, RuleBook, sequence, text } from './expression.ts';
import { parseEbnf } from './ebnf.ts';
import { CompiledGrammar } from './compiled-grammar.ts';
import { JsonText } from './json/json-text.ts';
import { JsonSchema } from './json/schema.ts';
import { wholeText } from './regex.ts';
import { refusal } from './refusal.ts';

/** Of structures in a constraint. */
const DEPTH = 16;
const PARTS = 4_096;
const REPETITIONS = 10_000;

/** Fails with `invalid_argument` and one sentence where the constraint is too large, or has something that is not supported. */
export function compileConstraint(constraint: Constraint): CompiledGrammar {
  const reader = new ConstraintReader();
  const root = reader.read(constraint, 0);
  const grammar = new CompiledGrammar(reader.book.grammar(root));
  if (grammar.states.start.isLast && !grammar.states.start.isComplete) throw refusal('no answer can follow this schema, pattern or grammar: correct it');
  return grammar;
}

class ConstraintReader {
  readonly book = new RuleBook();
  #json: JsonText | null = null;
  #chars = 0;
  #parts = 0;

  read(constraint: Constraint, depth: number): Expression {
    if (depth > DEPTH || ++this.#parts > PARTS) throw refusal(`a constraint has more than ${PARTS} parts, or is nested more than ${DEPTH} deep: simplify it`);
    switch (constraint.kind) {
      case 'json object':
        return this.#jsonText.object;
      case 'json schema':
        return new JsonSchema(parseJson(this.#counted(constraint.schema)), { json: this.#jsonText, book: this.book }).read();
      case 'regex':
        return wholeText(this.#counted(constraint.pattern));
      case 'grammar':
        return parseEbnf(this.#counted(constraint.ebnf), this.book);
      case 'text':
        return text(this.#counted(constraint.text));
      case 'token':
        return constraint;
      case 'sequence':
        return sequence(...constraint.parts.map((part) => this.read(part, depth + 1)));
      case 'choice':
        return choice(...constraint.options.map((option) => this.read(option, depth + 1)));
      case 'repeat':
        if (constraint.max > REPETITIONS || constraint.min > constraint.max) throw refusal(`a constraint repeats something ${constraint.min} to ${constraint.max} times: use numbers in order, of at most ${REPETITIONS}`);
        return repeat(this.read(constraint.item, depth + 1), constraint.min, constraint.max);
    }
  }

  get #jsonText(): JsonText {
    this.#json ??= new JsonText(this.book);
    return this.#json;
  }

  #counted(value: string): string {
    this.#chars += value.length;
    if (this.#chars > LIMITS.constraintChars) throw refusal(`schemas, patterns and grammars of one answer have more than ${LIMITS.constraintChars} characters together: shorten them`);
    return value;
  }
}

function parseJson(schema: string): unknown {
  try {
    return JSON.parse(schema);
  } catch {
    throw refusal('the schema is not valid JSON: correct it');
  }
}
