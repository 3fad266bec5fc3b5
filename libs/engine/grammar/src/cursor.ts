/** A place in a text that is read character by character, Unicode code points and not UTF-16 units. */
export class Cursor {
  readonly #characters: readonly string[];
  #place = 0;

  constructor(text: string) {
    this.#characters = Array.from(text);
  }

  /** Characters read so far. */
  get place(): number {
    return this.#place;
  }

  set place(place: number) {
    this.#place = place;
  }

  get isAtEnd(): boolean {
    return this.#place >= this.#characters.length;
  }

  /** The next character, which stays; the empty text at the end. */
  peek(ahead = 0): string {
    return this.#characters[this.#place + ahead] ?? '';
  }

  next(): string {
    const character = this.peek();
    if (character !== '') this.#place++;
    return character;
  }

  /** Reads it where it is next. */
  take(wanted: string): boolean {
    const isNext = Array.from(wanted).every((character, ahead) => this.peek(ahead) === character);
    if (isNext) this.#place += Array.from(wanted).length;
    return isNext;
  }

  /** As many characters as are of the kind. */
  takeWhile(isWanted: (character: string) => boolean): string {
    let taken = '';
    while (!this.isAtEnd && isWanted(this.peek())) taken += this.next();
    return taken;
  }
}

/** A whole number of at most six digits, which is more than any count may be; null where none is next. */
export function takeNumber(cursor: Cursor): number | null {
  const digits = cursor.takeWhile((character) => character >= '0' && character <= '9');
  return digits === '' || digits.length > 6 ? null : Number(digits);
}

/** So many hexadecimal digits; null where they are not next. */
export function takeHex(cursor: Cursor, digits: number): number | null {
  const text = Array.from({ length: digits }, (_, ahead) => cursor.peek(ahead)).join('');
  if (text.length !== digits || !/^[0-9a-fA-F]+$/.test(text)) return null;
  cursor.place += digits;
  return Number.parseInt(text, 16);
}

/** How often something is repeated, as in {2}, {2,} and {2,5}. */
export interface Count {
  readonly min: number;
  readonly max: number | null;
}

/** What follows the opening brace, the closing one too; null where it is no count. */
export function takeCount(cursor: Cursor): Count | null {
  const space = (): string => cursor.takeWhile((character) => character === ' ');
  space();
  const min = takeNumber(cursor);
  space();
  if (min === null) return null;
  if (cursor.take('}')) return { min, max: min };
  if (!cursor.take(',')) return null;
  space();
  if (cursor.take('}')) return { min, max: null };
  const max = takeNumber(cursor);
  space();
  return max !== null && max >= min && cursor.take('}') ? { min, max } : null;
}
