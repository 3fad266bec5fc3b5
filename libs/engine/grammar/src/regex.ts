import { allBut, characters, type Characters, charactersOf, union } from './characters.ts';
import { Cursor, takeCount, takeHex } from './cursor.ts';
import { choice, type Expression, NOTHING, oneOf, repeat, sequence } from './expression.ts';
import { refusal } from './refusal.ts';

export interface Pattern {
  readonly body: Expression;
  /** Nothing may stand before it, or behind it. */
  readonly anchored: { readonly start: boolean; readonly end: boolean };
}

export interface RegexOptions {
  /** How a text is written that has one character of the set; by default as that character. */
  readonly write?: (set: Characters) => Expression;
}

const DEPTH = 100;
const DIGITS = charactersOf('0123456789');
const WORD = characters([[48, 57], [65, 90], [95, 95], [97, 122]]);
const SPACE = charactersOf(' \t\n\r\f\v');
const CLASSES: Readonly<Record<string, Characters>> = { d: DIGITS, D: allBut(DIGITS), w: WORD, W: allBut(WORD), s: SPACE, S: allBut(SPACE) };
const CONTROLS: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, f: 12, v: 11, 0: 0, a: 7 };
const GROUPS_REFUSED: Readonly<Record<string, string>> = { '=': 'looks ahead', '!': 'looks ahead', '<=': 'looks behind', '<!': 'looks behind', '>': 'has an atomic group', '#': 'has a comment' };

/**
 * The alternatives of a regular expression as JavaScript and Python write it: what both understand in the same way and what describes
 * texts, so no looking around, no going back to groups, no flags. Letters, digits and spaces of \w, \d and \s are ASCII's.
 * Fails with `invalid_argument` for anything else.
 */
export function parseRegex(pattern: string, options: RegexOptions = {}): readonly Pattern[] {
  const parser = new RegexParser(pattern, options);
  const alternatives = parser.alternatives();
  parser.requireEnd();
  return alternatives;
}

/** All of a text is matched, wherever the pattern says where that begins and ends. */
export const wholeText = (pattern: string): Expression => choice(...parseRegex(pattern).map(({ body }) => body));

class RegexParser {
  readonly #cursor: Cursor;
  readonly #write: (set: Characters) => Expression;
  #depth = 0;

  constructor(pattern: string, { write = oneOf }: RegexOptions) {
    this.#cursor = new Cursor(pattern);
    this.#write = write;
  }

  requireEnd(): void {
    if (!this.#cursor.isAtEnd) throw this.#refusal('has a closing parenthesis without an opening one');
  }

  alternatives(): Pattern[] {
    const found = [this.#alternative()];
    while (this.#cursor.take('|')) found.push(this.#alternative());
    return found;
  }

  #alternative(): Pattern {
    const cursor = this.#cursor;
    const start = cursor.take('^');
    const parts: Expression[] = [];
    while (!cursor.isAtEnd && cursor.peek() !== '|' && cursor.peek() !== ')') {
      if (cursor.take('$')) {
        if (cursor.isAtEnd || cursor.peek() === '|') return { body: sequence(...parts), anchored: { start, end: true } };
        throw this.#refusal('has $ before its end');
      }
      parts.push(this.#repeated(this.#atom()));
    }
    return { body: parts.length === 0 ? NOTHING : sequence(...parts), anchored: { start, end: false } };
  }

  #repeated(atom: Expression): Expression {
    const cursor = this.#cursor;
    let repeated = atom;
    for (let count = 0; ; count++) {
      const next = this.#quantifier();
      if (next === null) return repeated;
      if (count > 0) throw this.#refusal('has two repetitions in a row');
      repeated = repeat(repeated, next.min, next.max);
      // How eagerly it repeats does not change which texts match.
      cursor.take('?');
    }
  }

  #quantifier(): { readonly min: number; readonly max: number | null } | null {
    const cursor = this.#cursor;
    if (cursor.take('*')) return { min: 0, max: null };
    if (cursor.take('+')) return { min: 1, max: null };
    if (cursor.take('?')) return { min: 0, max: 1 };
    if (!cursor.take('{')) return null;
    const count = takeCount(cursor);
    if (count === null) throw this.#refusal('has a { that begins no count, where \\{ is the brace itself');
    return count;
  }

  #atom(): Expression {
    const cursor = this.#cursor;
    const character = cursor.next();
    if (character === '(') return this.#group();
    if (character === '[') return this.#write(this.#class());
    if (character === '.') return this.#write(allBut(charactersOf('\n')));
    if (character === '\\') return this.#write(this.#escape('outside'));
    if ('*+?{'.includes(character)) throw this.#refusal(`repeats nothing with ${character}`);
    if (character === '^') throw this.#refusal('has ^ behind its beginning');
    return this.#write(charactersOf(character));
  }

  #group(): Expression {
    const cursor = this.#cursor;
    if (cursor.take('?')) this.#groupHead();
    if (++this.#depth > DEPTH) throw this.#refusal(`has groups more than ${DEPTH} deep`);
    const alternatives = this.alternatives();
    this.#depth--;
    if (!cursor.take(')')) throw this.#refusal('has an opening parenthesis without a closing one');
    if (alternatives.some(({ anchored }) => anchored.start || anchored.end)) throw this.#refusal('has ^ or $ inside a group');
    return choice(...alternatives.map(({ body }) => body));
  }

  /** Names mean nothing here. */
  #groupHead(): void {
    const cursor = this.#cursor;
    if (cursor.take(':')) return;
    for (const [head, what] of Object.entries(GROUPS_REFUSED)) if (cursor.take(head)) throw this.#refusal(what);
    cursor.take('P');
    if (!cursor.take('<')) throw this.#refusal('has a group of an unknown kind, or a flag');
    cursor.takeWhile((character) => /\w/.test(character));
    if (!cursor.take('>')) throw this.#refusal('has a group with a name that does not end');
  }

  #class(): Characters {
    const cursor = this.#cursor;
    const isNegated = cursor.take('^');
    const sets: Characters[] = [];
    for (let first = true; first || cursor.peek() !== ']'; first = false) {
      if (cursor.isAtEnd) throw this.#refusal('has [ without ]');
      if (first && cursor.peek() === ']') break;
      sets.push(this.#classPart());
    }
    cursor.next();
    const set = union(...sets);
    return isNegated ? allBut(set) : set;
  }

  #classPart(): Characters {
    const cursor = this.#cursor;
    const from = this.#classCharacter();
    if (cursor.peek() !== '-' || cursor.peek(1) === ']' || cursor.peek(1) === '') return from;
    cursor.next();
    const to = this.#classCharacter();
    const [first, last] = [single(from), single(to)];
    if (first === null || last === null || first > last) throw this.#refusal('has a range in [] that does not go from a character to a higher one');
    return characters([[first, last]]);
  }

  #classCharacter(): Characters {
    const character = this.#cursor.next();
    return character === '\\' ? this.#escape('class') : charactersOf(character);
  }

  #escape(where: 'class' | 'outside'): Characters {
    const cursor = this.#cursor;
    const letter = cursor.next();
    if (letter === '') throw this.#refusal('ends with a backslash');
    if (CLASSES[letter] !== undefined) return CLASSES[letter];
    if (where === 'class' && letter === 'b') return charactersOf('\b');
    if (letter === 'x') return this.#code(takeHex(cursor, 2));
    if (letter === 'u') return this.#code(cursor.take('{') ? this.#braced() : takeHex(cursor, 4));
    if (CONTROLS[letter] !== undefined) return characters([[CONTROLS[letter], CONTROLS[letter]]]);
    if (/[0-9]/.test(letter)) throw this.#refusal('goes back to a group');
    if (/[a-zA-Z]/.test(letter)) throw this.#refusal(`has \\${letter}`);
    return charactersOf(letter);
  }

  #braced(): number | null {
    const digits = this.#cursor.takeWhile((character) => /[0-9a-fA-F]/.test(character));
    return this.#cursor.take('}') && digits !== '' && digits.length <= 6 ? Number.parseInt(digits, 16) : null;
  }

  #code(code: number | null): Characters {
    if (code === null || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw this.#refusal('has an escape that names no character');
    return characters([[code, code]]);
  }

  #refusal(what: string): Error {
    return refusal(`the pattern ${what} (near character ${this.#cursor.place}): write that part in another way`);
  }
}

const single = (set: Characters): number | null => (set.length === 1 && set[0]![0] === set[0]![1] ? set[0]![0] : null);
