import { assert } from '@essaim/core';

export interface StepPaceOptions {
  /** Milliseconds that a step with parts of prompts may take where answers are under way, or twice what a step without takes, whichever is longer. */
  readonly stepMs: number;
  /** Of prompts in such a step, however slow steps are: prompts arrive in the end. */
  readonly leastTokens: number;
}

/** What the newest step weighs among all before it. */
const WEIGHT = 0.25;

/** Learns from the steps how many tokens fit the time that answers under way may wait for their next token. */
export class StepPace {
  readonly #options: StepPaceOptions;
  /** Of a step in which answers alone went on; 0 until there was one. */
  #answersMs = 0;
  /** Of steps with parts of prompts. Apart from each other, so that the short end of a prompt says as little about the rate as it has tokens. */
  #promptsMs = 0;
  #promptsTokens = 0;

  constructor(options: StepPaceOptions) {
    assert(options.stepMs > 0 && options.leastTokens >= 1, 'a step has some time and some tokens for prompts');
    this.#options = options;
  }

  /** Takes note of a step of `tokens` tokens altogether. */
  observe({ tokens, durationMs, hasPrompts }: { readonly tokens: number; readonly durationMs: number; readonly hasPrompts: boolean }): void {
    if (hasPrompts) {
      this.#promptsMs = follow(this.#promptsMs, durationMs);
      this.#promptsTokens = follow(this.#promptsTokens, tokens);
    } else this.#answersMs = follow(this.#answersMs, durationMs);
  }

  /** Tokens of prompts that the next step may have beside `answers` answers under way: at least one, and the fewest that are allowed until a step with prompts was seen. */
  promptTokens(answers: number): number {
    const { stepMs, leastTokens } = this.#options;
    if (this.#promptsTokens === 0) return leastTokens;
    const durationMs = Math.max(stepMs, 2 * this.#answersMs);
    // A step may take no time that the clock can tell.
    const tokens = this.#promptsMs === 0 ? Infinity : (durationMs * this.#promptsTokens) / this.#promptsMs;
    return Math.max(leastTokens, Math.floor(tokens) - answers);
  }
}

const follow = (average: number, newest: number): number => (average === 0 ? newest : average + WEIGHT * (newest - average));
