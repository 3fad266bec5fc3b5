/** Code points that Unicode keeps for a program's own use. */
const MARKS = Array.from({ length: 32 }, (_, index) => String.fromCodePoint(0xfdd0 + index));

/** A character that none of the texts holds; null where they hold all that may be one, which no honest text does. */
export const unusedMark = (texts: readonly string[]): string | null => MARKS.find((mark) => !texts.some((text) => text.includes(mark))) ?? null;

/**
 * Keeps a client's words apart from a template's own while the template lays both out as one text: whatever in the words is, begins or ends
 * the name of a special token is broken by a mark, to be taken out again afterwards.
 */
export class LookAlikes {
  readonly #names: ReadonlySet<string>;
  /** What a name begins with, and what it ends with: a model may have a thousand names, and a text a million places where one could begin. */
  readonly #beginnings: ReadonlySet<string>;
  readonly #endings: ReadonlySet<string>;
  readonly #longest: number;

  /** The names of the special tokens. */
  constructor(names: readonly string[]) {
    const lengthsOf = (name: string): number[] => Array.from({ length: Math.max(0, name.length - 1) }, (_, index) => index + 1);
    this.#names = new Set(names);
    this.#beginnings = new Set(names.flatMap((name) => lengthsOf(name).map((length) => name.slice(0, length))));
    this.#endings = new Set(names.flatMap((name) => lengthsOf(name).map((length) => name.slice(-length))));
    this.#longest = Math.max(0, ...names.map(({ length }) => length));
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
    for (let length = 1; length < Math.min(this.#longest, text.length + 1); length++) if (this.#endings.has(text.slice(0, length))) yield length - 1;
  }

  /** After the first character of every name, and of what could be one with what follows the text. */
  *#cutsWithin(text: string): Generator<number> {
    for (let place = 0; place < text.length; place++) if (this.#mayBegin(text, place)) yield place + 1;
  }

  #mayBegin(text: string, place: number): boolean {
    for (let end = place + 1; end <= text.length; end++) {
      const part = text.slice(place, end);
      if (this.#names.has(part)) return true;
      if (!this.#beginnings.has(part)) return false;
    }
    return true;
  }
}
