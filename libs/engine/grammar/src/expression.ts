import { type Characters, charactersOf } from './characters.ts';

/** What may follow, as a tree: the form that schemas, patterns and grammars have in common. */
export type Expression =
  | { readonly kind: 'characters'; readonly set: Characters }
  | { readonly kind: 'text'; readonly text: string }
  /** A token that is no text. */
  | { readonly kind: 'token'; readonly id: number }
  | { readonly kind: 'sequence'; readonly parts: readonly Expression[] }
  | { readonly kind: 'choice'; readonly options: readonly Expression[] }
  | { readonly kind: 'repeat'; readonly item: Expression; readonly min: number; /** Null for any number. */ readonly max: number | null }
  /** Place in the rules of the grammar. */
  | { readonly kind: 'rule'; readonly rule: number };

export interface Grammar {
  readonly root: Expression;
  readonly rules: readonly Rule[];
}

export interface Rule {
  /** For messages. */
  readonly name: string;
  readonly body: Expression;
}

export const text = (value: string): Expression => ({ kind: 'text', text: value });
export const oneOf = (set: Characters): Expression => ({ kind: 'characters', set });
export const anyOf = (letters: string): Expression => oneOf(charactersOf(letters));
export const sequence = (...parts: readonly Expression[]): Expression => (parts.length === 1 ? parts[0]! : { kind: 'sequence', parts });
export const choice = (...options: readonly Expression[]): Expression => (options.length === 1 ? options[0]! : { kind: 'choice', options });
export const repeat = (item: Expression, min: number, max: number | null = null): Expression => ({ kind: 'repeat', item, min, max });
export const optional = (item: Expression): Expression => repeat(item, 0, 1);
export const NOTHING: Expression = { kind: 'sequence', parts: [] };

/** Rules while they are written: a body may name a rule whose own body comes later. */
export class RuleBook {
  readonly #rules: { readonly name: string; body: Expression | null }[] = [];

  add(name: string, body: Expression): Expression {
    const { reference, define } = this.reserve(name);
    define(body);
    return reference;
  }

  reserve(name: string): { readonly reference: Expression; readonly define: (body: Expression) => void } {
    const rule = { name, body: null as Expression | null };
    const place = this.#rules.push(rule) - 1;
    return { reference: { kind: 'rule', rule: place }, define: (body) => void (rule.body = body) };
  }

  /** Once every body is there. */
  grammar(root: Expression): Grammar {
    return { root, rules: this.#rules.map(({ name, body }) => ({ name, body: body! })) };
  }
}
