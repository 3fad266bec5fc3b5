import { allBut, type Characters, characters, charactersOf, intersection, union } from '../characters.ts';
import { anyOf, choice, type Expression, NOTHING, oneOf, optional, repeat, type RuleBook, sequence, text } from '../expression.ts';
import { refusal } from '../refusal.ts';
import { wholeText } from '../regex.ts';

/** Characters that JSON.stringify does not write as themselves, and how it writes them. */
const ESCAPED = union(characters([[0x00, 0x1f]]), charactersOf('"\\'));
const ESCAPES = '\\\\(["\\\\bfnrt]|u00(0[0-7bef]|1[0-9a-f]))';
const PLAIN = allBut(ESCAPED);
/** However a program may write it, but for halves of a surrogate pair: so each escape is one character. */
const ANY_ESCAPE = '\\\\(["\\\\/bfnrt]|u([0-9a-cA-CefEF][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2}))';
/** Of names that an object's further members must not have. */
const NAME_CHARS = 256;
/** Spaces in a gap between two parts of a text: room for eight levels of four. */
const INDENT = 32;

/** The texts of JSON, with bounds where JSON has none: a model that can't find an end is brought to one. */
export class JsonText {
  readonly #book: RuleBook;
  readonly #escaped: Expression;
  #canonical: Expression | null = null;
  /** Between two parts: nothing, a space, or the beginning of a line. */
  readonly gap: Expression;
  readonly character: Expression;
  readonly string: Expression;
  /** Up to 15 digits on each side of the point, which a double holds. */
  readonly number: Expression;
  readonly literals: Expression;
  readonly value: Expression;
  readonly object: Expression;

  constructor(book: RuleBook) {
    this.#book = book;
    this.gap = book.add('gap', optional(choice(text(' '), sequence(text('\n'), repeat(anyOf(' \t'), 0, INDENT)))));
    this.#escaped = book.add('escaped character', wholeText(ESCAPES));
    this.character = book.add('character', choice(oneOf(PLAIN), wholeText(ANY_ESCAPE)));
    this.string = book.add('string', this.quoted(repeat(this.character, 0)));
    this.number = book.add('number', wholeText('-?(0|[1-9][0-9]{0,14})(\\.[0-9]{1,15})?([eE][+-]?[0-9]{1,2})?'));
    this.literals = choice(text('true'), text('false'), text('null'));
    const value = book.reserve('value');
    this.value = value.reference;
    this.object = book.add('object', this.objectOf(this.list(this.member(this.string, this.value), { min: 0, max: null })));
    value.define(choice(this.string, this.number, this.literals, this.object, book.add('array', this.arrayOf(this.list(this.value, { min: 0, max: null })))));
  }

  /** A character of a string, in the one way in which JSON.stringify writes it. */
  characterOf(set: Characters): Expression {
    const [plain, escaped] = [intersection(set, PLAIN), intersection(set, ESCAPED)];
    const options = plain.length === 0 ? [] : [oneOf(plain)];
    if (escaped.length === ESCAPED.length && escaped.every(([from, to], place) => from === ESCAPED[place]![0] && to === ESCAPED[place]![1])) return choice(...options, this.#escaped);
    const each = escaped.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, place) => String.fromCodePoint(from + place)));
    return choice(...options, ...each.map((character) => text(JSON.stringify(character).slice(1, -1))));
  }

  quoted(content: Expression): Expression {
    return sequence(text('"'), content, text('"'));
  }

  objectOf(members: Expression): Expression {
    return sequence(text('{'), this.gap, members, this.gap, text('}'));
  }

  arrayOf(items: Expression): Expression {
    return sequence(text('['), this.gap, items, this.gap, text(']'));
  }

  member(key: Expression, value: Expression): Expression {
    return sequence(key, text(':'), this.gap, value);
  }

  /** Between two members or items. */
  get comma(): Expression {
    return sequence(text(','), this.gap);
  }

  list(item: Expression, { min, max }: { readonly min: number; readonly max: number | null }): Expression {
    if (max === 0) return NOTHING;
    const some = sequence(item, repeat(sequence(this.comma, item), Math.max(0, min - 1), max === null ? null : max - 1));
    return min === 0 ? optional(some) : some;
  }

  /** That value and no other. */
  literal(value: unknown): Expression {
    if (Array.isArray(value)) return this.arrayOf(this.#joined(value.map((each) => this.literal(each))));
    if (typeof value !== 'object' || value === null) return text(JSON.stringify(value));
    return this.objectOf(this.#joined(Object.entries(value).map(([key, each]) => this.member(text(JSON.stringify(key)), this.literal(each)))));
  }

  #joined(parts: readonly Expression[]): Expression {
    return sequence(...parts.flatMap((part, place) => (place === 0 ? [part] : [this.comma, part])));
  }

  /** A string that is none of `names`, each of its characters in one way, so that no name comes in disguise. */
  stringBut(names: readonly string[]): Expression {
    if (names.some((name) => name.length > NAME_CHARS)) throw refusal(`the schema has a property with a name of more than ${NAME_CHARS} characters: shorten it`);
    return this.quoted(this.#but(names.map((name) => Array.from(name))));
  }

  /** The rest of a string, given what is left of the names that it could still become. */
  #but(names: readonly (readonly string[])[]): Expression {
    const branches = new Map<string, string[][]>();
    for (const [first, ...rest] of names) if (first !== undefined) branches.set(first, [...(branches.get(first) ?? []), rest]);
    const others = allBut(charactersOf([...branches.keys()].join('')));
    const anything = this.#anyCanonical;
    const going = [...branches].map(([first, rest]) => sequence(this.characterOf(charactersOf(first)), this.#but(rest)));
    const ending = names.some((name) => name.length === 0) ? [] : [NOTHING];
    return choice(sequence(this.characterOf(others), anything), ...going, ...ending);
  }

  get #anyCanonical(): Expression {
    this.#canonical ??= this.#book.add('any other name', repeat(this.characterOf(allBut([])), 0));
    return this.#canonical;
  }
}
