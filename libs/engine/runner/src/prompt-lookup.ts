/** Of how many tokens a place is known by: the longer one is asked first. */
const RUN_LENGTHS = [3, 2];

/**
 * Guesses how a sequence goes on: as it did at the latest earlier place where its last tokens stand (prompt lookup,
 * https://github.com/apoorvumang/prompt-lookup-decoding). Each place is filed once, under a hash of the tokens before it, so that a guess
 * costs the same however long the sequence is. Tokens are compared at last: two runs of one hash cost a guess.
 */
export class PromptLookup {
  readonly #tokens: readonly number[];
  /** For each length, the latest place behind a run of so many tokens, by their hash. At most one for each token of the sequence. */
  readonly #places = RUN_LENGTHS.map(() => new Map<number, number>());
  /** Places before this one are filed. */
  #next = Math.min(...RUN_LENGTHS);

  /** @param tokens of the sequence; they only grow */
  constructor(tokens: readonly number[]) {
    this.#tokens = tokens;
  }

  /** `count` token ids, or none where the last tokens are new. Where the place found reaches the end the guess goes on with itself, as text that repeats does. */
  guess(count: number): number[] {
    this.#file();
    const place = this.#latestPlace();
    if (place === null) return [];
    const guesses: number[] = [];
    for (let position = place; guesses.length < count; position++) guesses.push(this.#tokens[position] ?? guesses[position - this.#tokens.length]!);
    return guesses;
  }

  /** Only places where a token follows: the end is none, and so is never found as its own earlier place. */
  #file(): void {
    for (; this.#next < this.#tokens.length; this.#next++) {
      RUN_LENGTHS.forEach((length, index) => {
        if (length <= this.#next) this.#places[index]!.set(this.#hash(this.#next, length), this.#next);
      });
    }
  }

  #latestPlace(): number | null {
    const end = this.#tokens.length;
    for (const [index, length] of RUN_LENGTHS.entries()) {
      if (length > end) continue;
      const place = this.#places[index]!.get(this.#hash(end, length));
      if (place !== undefined && this.#sameBefore(place, length)) return place;
    }
    return null;
  }

  /** Of the `length` tokens before `place`. */
  #hash(place: number, length: number): number {
    let hash = 0;
    for (let position = place - length; position < place; position++) {
      hash = Math.imul(hash ^ this.#tokens[position]!, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    return hash;
  }

  #sameBefore(place: number, length: number): boolean {
    const end = this.#tokens.length;
    for (let back = 1; back <= length; back++) if (this.#tokens[place - back] !== this.#tokens[end - back]) return false;
    return true;
  }
}
