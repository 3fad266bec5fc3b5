import { allBut, characters, type Characters } from './characters.ts';
import { Cursor, takeCount, takeHex } from './cursor.ts';
import { choice, type Expression, NOTHING, oneOf, repeat, type RuleBook, sequence, text } from './expression.ts';
import { refusal } from './refusal.ts';

const DEPTH = 100;
const RULES = 10_000;
const CONTROLS: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f', v: '\v', a: '\x07', 0: '\0' };
const HEX_DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/**
 * The rule `root` of a grammar in the EBNF of GBNF and xgrammar: NAME ::= texts in "", sets in [], groups in (), |, *, +, ?, {2}, {2,},
 * {2,5} and comments from # on. A rule may contain itself anywhere but at its beginning, where `a ::= a "x" | "y"` is understood too.
 * Fails with `invalid_argument` for anything else.
 */
export function parseEbnf(source: string, book: RuleBook): Expression {
  return new EbnfParser(source, book).parse();
}

interface NamedRule {
  readonly reference: Expression;
  readonly define: (body: Expression) => void;
  isDefined: boolean;
}

class EbnfParser {
  readonly #cursor: Cursor;
  readonly #book: RuleBook;
  readonly #rules = new Map<string, NamedRule>();
  #depth = 0;

  constructor(source: string, book: RuleBook) {
    this.#cursor = new Cursor(source);
    this.#book = book;
  }

  parse(): Expression {
    for (this.#space(); !this.#cursor.isAtEnd; this.#space()) this.#rule();
    for (const [name, { isDefined }] of this.#rules) if (!isDefined) throw refusal(`the grammar uses the rule ${name} and does not define it: add it`);
    const root = this.#rules.get('root');
    if (root === undefined) throw refusal('the grammar has no rule root: name the first one so');
    return root.reference;
  }

  #rule(): void {
    const name = this.#name();
    this.#space();
    if (name === '' || !this.#cursor.take('::=')) throw this.#refusal('has something here that is no rule of the form NAME ::= ...');
    const rule = this.#named(name);
    if (rule.isDefined) throw this.#refusal(`defines the rule ${name} twice`);
    rule.isDefined = true;
    rule.define(withoutLeftRecursion(this.#alternatives(), rule.reference));
  }

  #named(name: string): NamedRule {
    let rule = this.#rules.get(name);
    if (rule === undefined) this.#rules.set(name, rule = { ...this.#book.reserve(name), isDefined: false });
    if (this.#rules.size > RULES) throw this.#refusal(`has more than ${RULES} rules`);
    return rule;
  }

  #alternatives(): Expression[] {
    const found: Expression[] = [];
    do found.push(this.#sequence());
    while (this.#cursor.take('|'));
    return found;
  }

  /** Ends before |, ), the next rule, or the end. */
  #sequence(): Expression {
    const parts: Expression[] = [];
    for (this.#space(); !this.#cursor.isAtEnd && !'|)'.includes(this.#cursor.peek()) && !this.#isAtRule(); this.#space()) parts.push(this.#repeated(this.#atom()));
    return parts.length === 0 ? NOTHING : sequence(...parts);
  }

  #isAtRule(): boolean {
    const { place } = this.#cursor;
    const isRule = this.#name() !== '' && (this.#space(), this.#cursor.take('::='));
    this.#cursor.place = place;
    return isRule;
  }

  #repeated(atom: Expression): Expression {
    const cursor = this.#cursor;
    for (let repeated = atom; ; ) {
      if (cursor.take('*')) repeated = repeat(repeated, 0);
      else if (cursor.take('+')) repeated = repeat(repeated, 1);
      else if (cursor.take('?')) repeated = repeat(repeated, 0, 1);
      else if (cursor.take('{')) {
        const count = takeCount(cursor);
        if (count === null) throw this.#refusal('has a count in {} that is none');
        repeated = repeat(repeated, count.min, count.max);
      } else return repeated;
    }
  }

  #atom(): Expression {
    const cursor = this.#cursor;
    if (cursor.take('"')) return this.#text();
    if (cursor.take('[')) return oneOf(this.#set());
    if (cursor.take('(')) return this.#group();
    const name = this.#name();
    if (name === '') throw this.#refusal(`has a character that means nothing here: ${cursor.peek()}`);
    if (cursor.peek() === '(') throw this.#refusal(`has the macro ${name}, which is not supported`);
    return this.#named(name).reference;
  }

  #group(): Expression {
    if (this.#cursor.peek() === '=') throw this.#refusal('looks ahead with (=, which is not supported');
    if (++this.#depth > DEPTH) throw this.#refusal(`has groups more than ${DEPTH} deep`);
    const body = choice(...this.#alternatives());
    this.#depth--;
    if (!this.#cursor.take(')')) throw this.#refusal('has an opening parenthesis without a closing one');
    return body;
  }

  #text(): Expression {
    let value = '';
    while (!this.#cursor.take('"')) value += this.#character('"');
    return text(value);
  }

  #set(): Characters {
    const isNegated = this.#cursor.take('^');
    const ranges: [number, number][] = [];
    while (!this.#cursor.take(']')) {
      const from = this.#character(']').codePointAt(0)!;
      const isRange = this.#cursor.peek() === '-' && this.#cursor.peek(1) !== ']';
      if (isRange) this.#cursor.next();
      const to = isRange ? this.#character(']').codePointAt(0)! : from;
      if (to < from) throw this.#refusal('has a range in [] whose end is before its beginning');
      ranges.push([from, to]);
    }
    const set = characters(ranges);
    return isNegated ? allBut(set) : set;
  }

  #character(end: string): string {
    const character = this.#cursor.next();
    if (character === '' || character === '\n') throw this.#refusal(`has a line that ends before ${end}`);
    return character === '\\' ? this.#escape() : character;
  }

  #escape(): string {
    const letter = this.#cursor.next();
    const digits = HEX_DIGITS[letter];
    if (digits !== undefined) {
      const code = takeHex(this.#cursor, digits);
      if (code === null || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw this.#refusal('has an escape that names no character');
      return String.fromCodePoint(code);
    }
    if (letter === '' || /[a-zA-Z1-9]/.test(letter) && CONTROLS[letter] === undefined) throw this.#refusal(`has an unknown escape: \\${letter}`);
    return CONTROLS[letter] ?? letter;
  }

  #name(): string {
    return /[a-zA-Z_]/.test(this.#cursor.peek()) ? this.#cursor.takeWhile((character) => /[\w.-]/.test(character)) : '';
  }

  /** And comments, which end with their line. */
  #space(): void {
    for (;;) {
      this.#cursor.takeWhile((character) => ' \t\r\n'.includes(character));
      if (!this.#cursor.take('#')) return;
      this.#cursor.takeWhile((character) => character !== '\n');
    }
  }

  #refusal(what: string): Error {
    return refusal(`the grammar ${what} (near character ${this.#cursor.place}): correct it`);
  }
}

/** a ::= a x | y is y and then any number of x. */
function withoutLeftRecursion(alternatives: readonly Expression[], self: Expression): Expression {
  const tails: Expression[] = [];
  const others: Expression[] = [];
  for (const alternative of alternatives) {
    const [first, ...rest] = alternative.kind === 'sequence' ? alternative.parts : [alternative];
    if (first !== undefined && first.kind === 'rule' && self.kind === 'rule' && first.rule === self.rule) tails.push(sequence(...rest));
    else others.push(alternative);
  }
  if (tails.length === 0 || others.length === 0) return choice(...alternatives);
  return sequence(choice(...others), repeat(choice(...tails), 0));
}
