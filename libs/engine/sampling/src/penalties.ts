import { type SamplingParams } from '@essaim/core';

const NONE: ReadonlySet<number> = new Set();

/**
 * What a sequence's parameters and history change in its scores. Only ids that occur are touched, however large the vocabulary;
 * ids outside it change nothing. Arithmetic is float32, as in the implementations the formulas come from.
 */
export class Penalties {
  readonly #params: SamplingParams;
  /** Ids in prompt or answer; empty while nothing asks for them. */
  readonly #seen: Set<number>;
  /** How often each id occurs in the answer. */
  readonly #answerCounts = new Map<number, number>();

  constructor(params: SamplingParams, promptIds: readonly number[]) {
    this.#params = params;
    this.#seen = new Set(params.repetitionPenalty === 1 ? [] : promptIds);
  }

  accept(tokenId: number): void {
    if (this.#params.repetitionPenalty !== 1) this.#seen.add(tokenId);
    if (this.#countsAnswer) this.#answerCounts.set(tokenId, (this.#answerCounts.get(tokenId) ?? 0) + 1);
  }

  /** True when `apply` would change something. */
  changes(banned: ReadonlySet<number> = NONE): boolean {
    return this.#seen.size + this.#answerCounts.size + this.#params.logitBias.size + banned.size > 0;
  }

  /** True when the parameters are such that `apply` may change something sooner or later. */
  get mayChange(): boolean {
    return this.#countsAnswer || this.#params.repetitionPenalty !== 1 || this.#params.logitBias.size > 0;
  }

  /** Changes `scores` [vocab] in place. A NaN stays one, also under a ban: it must be found. */
  apply(scores: Float32Array, banned: ReadonlySet<number> = NONE): void {
    const { presencePenalty, frequencyPenalty, logitBias } = this.#params;
    // Hugging Face's formula, from CTRL (https://arxiv.org/abs/1909.05858).
    const repetitionPenalty = Math.fround(this.#params.repetitionPenalty);
    for (const id of this.#seen) {
      const score = scores[id]!;
      scores[id] = score < 0 ? score * repetitionPenalty : score / repetitionPenalty;
    }
    // OpenAI's formula, from its API reference.
    for (const [id, count] of this.#answerCounts) scores[id]! -= presencePenalty + frequencyPenalty * count;
    for (const [id, bias] of logitBias) scores[id]! += bias;
    for (const id of banned) scores[id]! += -Infinity;
  }

  get #countsAnswer(): boolean {
    return this.#params.presencePenalty !== 0 || this.#params.frequencyPenalty !== 0;
  }
}
