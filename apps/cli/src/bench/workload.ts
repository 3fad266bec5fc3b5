import { type InferenceApi } from '@essaim/rpc';
import { ask, type Question } from './ask.ts';
import { randomPrompt } from './prompts.ts';
import { seededRandom } from './random.ts';
import { type TimedAnswer } from './rates.ts';

/** What is asked of each cluster. BENCHMARKS.md says the same in words. */
export const WORKLOAD = { streams: 16, promptTokens: 128, newTokens: 128, longPromptTokens: 1024, warmUpTokens: 8 } as const;

/** Asks one gateway questions of random tokens. The same seed gives the same questions in the same order; no two of them begin alike. */
export class Workload {
  readonly #gateway: InferenceApi;
  readonly #model: { readonly id: string; readonly vocabSize: number };
  readonly #random;

  constructor(gateway: InferenceApi, model: { readonly id: string; readonly vocabSize: number }, seed: number) {
    this.#gateway = gateway;
    this.#model = model;
    this.#random = seededRandom(seed);
  }

  /** Short answers on every worker, so that nothing runs for the first time when the clock runs. */
  async warmUp(signal: AbortSignal): Promise<void> {
    await this.#together({ promptTokens: WORKLOAD.promptTokens, newTokens: WORKLOAD.warmUpTokens }, signal);
  }

  alone(signal: AbortSignal, lengths: Lengths = WORKLOAD): Promise<TimedAnswer> {
    return ask(this.#gateway, this.#question(lengths), signal);
  }

  /** One long prompt with a single token of answer. */
  longPrompt(signal: AbortSignal): Promise<TimedAnswer> {
    return ask(this.#gateway, this.#question({ promptTokens: WORKLOAD.longPromptTokens, newTokens: 1 }), signal);
  }

  together(signal: AbortSignal, lengths: Lengths = WORKLOAD): Promise<TimedAnswer[]> {
    return this.#together(lengths, signal);
  }

  #together(lengths: Lengths, signal: AbortSignal): Promise<TimedAnswer[]> {
    const questions = Array.from({ length: WORKLOAD.streams }, () => this.#question(lengths));
    return Promise.all(questions.map((question) => ask(this.#gateway, question, signal)));
  }

  #question({ promptTokens, newTokens }: Lengths): Question {
    const { id, vocabSize } = this.#model;
    return { model: id, promptIds: randomPrompt(this.#random, { tokens: promptTokens, vocabSize }), newTokens };
  }
}

interface Lengths {
  readonly promptTokens: number;
  readonly newTokens: number;
}
