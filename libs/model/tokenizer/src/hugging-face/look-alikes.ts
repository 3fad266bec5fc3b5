/** Code points that Unicode keeps for a program's own use. */
const MARKS = Array.from({ length: 32 }, (_, index) => String.fromCodePoint(0xfdd0 + index));

/** A character that none of the texts holds; null where they hold all that may be one, which no honest text does. */
export const unusedMark = (texts: readonly string[]): string | null => MARKS.find((mark) => !texts.some((text) => text.includes(mark))) ?? null;

/**
 * Keeps a client's words apart from a template's own while the template lays both out as one text: whatever in the words is, begins or ends
 * the name of a special token is broken by a mark, to be taken out again afterwards.
 */
export class LookAlikes {
  readonly #names: readonly string[];
  readonly #longest: number;
  readonly #firstUnits: ReadonlySet<string>;

  /** The names of the special tokens, none empty. */
  constructor(names: readonly string[]) {
    this.#names = names;
    this.#longest = Math.max(0, ...names.map(({ length }) => length));
    this.#firstUnits = new Set(names.map((name) => name[0]!));
  }

  break(text: string, mark: string): string {
    let broken = '';
    let done = 0;
    for (const cut of [...new Set([...this.#cutsAtStart(text), ...this.#cutsWithin(text)])].sort((one, other) => one - other)) {
      broken += text.slice(done, cut) + mark;
      done = cut;
    }
    return broken + text.slice(done);
  }

  /** Before the last character of whatever could end a name that a template begins. */
  *#cutsAtStart(text: string): Generator<number> {
    for (let length = 1; length < Math.min(this.#longest, text.length + 1); length++) {
      const start = text.slice(0, length);
      if (this.#names.some((name) => name.length > length && name.endsWith(start))) yield length - 1;
    }
  }

  /** After the first character of every name, and of what could be one with what follows the text. */
  *#cutsWithin(text: string): Generator<number> {
    for (let place = 0; place < text.length; place++) {
      if (!this.#firstUnits.has(text[place]!)) continue;
      const rest = text.slice(place, place + this.#longest);
      if (this.#names.some((name) => rest.startsWith(name) || name.startsWith(rest))) yield place + 1;
    }
  }
}
