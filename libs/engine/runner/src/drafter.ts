import { PromptLookup } from './prompt-lookup.ts';

/** The longest time, in tokens, that a sequence goes without guesses because they failed. */
const LONGEST_PAUSE = 64;

/**
 * The guesses of one sequence, and how far they are worth it. A guess that fails has cost a row of a step, so the next ones reach one
 * token further than these were right, and after a draft of which nothing was right there is a pause, each time twice as long as the last.
 * A draft that was right to its end doubles the reach. All of it depends on tokens alone, never on time.
 */
export class Drafter {
  readonly #tokens: readonly number[];
  readonly #limit: number;
  readonly #lookup: PromptLookup;
  #reach: number;
  #pause = 0;
  #resumeAt = 0;
  #accepted = 0;
  #rejected = 0;

  /**
   * @param tokens of the sequence; they only grow
   * @param limit of one draft; 0 for none at all
   */
  constructor(tokens: readonly number[], limit: number) {
    this.#tokens = tokens;
    this.#limit = limit;
    this.#reach = limit;
    this.#lookup = new PromptLookup(tokens);
  }

  /** Guessed tokens that were right, and that were not. */
  get counts(): { readonly accepted: number; readonly rejected: number } {
    return { accepted: this.#accepted, rejected: this.#rejected };
  }

  /** At most `most` token ids that may come next. */
  draft(most: number): readonly number[] {
    const count = Math.min(most, this.#reach);
    if (count <= 0 || this.#tokens.length < this.#resumeAt) return [];
    return this.#lookup.guess(count);
  }

  /** Of a draft of so many tokens the first `accepted` were right. They are part of the sequence by now. */
  learn(drafted: number, accepted: number): void {
    if (drafted === 0) return;
    this.#accepted += accepted;
    this.#rejected += drafted - accepted;
    this.#reach = accepted < drafted ? accepted + 1 : Math.min(this.#limit, Math.max(this.#reach, 2 * drafted));
    this.#pause = accepted > 0 ? 0 : Math.min(LONGEST_PAUSE, Math.max(1, 2 * this.#pause));
    this.#resumeAt = this.#tokens.length + this.#pause;
  }
}
