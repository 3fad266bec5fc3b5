import { type SamplingParams } from '@essaim/core';
import { bestId } from './best.ts';
import { Candidates } from './candidates.ts';
import { Penalties } from './penalties.ts';
import { uniformAt } from './uniform-at.ts';

/** Scratch space, shared by all sequences of the thread: a draw runs to its end before another can begin. */
const candidates = new Candidates();
let penalisedScores = new Float32Array(0);

/** Chooses the tokens of one sequence. What it chooses depends on its parameters, the ids before, the logits and the position, on nothing else. */
export class Sampler {
  readonly #params: SamplingParams;
  readonly #penalties: Penalties;

  constructor(params: SamplingParams, promptIds: readonly number[]) {
    this.#params = params;
    this.#penalties = new Penalties(params, promptIds);
  }

  /** A token of the answer, sampled here or by a lead before this one. */
  accept(tokenId: number): void {
    this.#penalties.accept(tokenId);
  }

  /**
   * The token at `position` (of the whole sequence, counted from 0) given `logits` [vocab], which stay as they are. `banned` ids can't
   * be chosen. Fails with `internal` when the logits hold no distribution: a NaN anywhere, or nothing finite left.
   */
  sample(logits: Float32Array, position: number, banned?: ReadonlySet<number>): number {
    const scores = this.#penalised(logits, banned);
    const best = bestId(scores);
    const { temperature, topK, topP, minP, seed } = this.#params;
    if (temperature === 0) return best;

    const softness = { bestScore: scores[best]!, temperature };
    if (topK > 0) candidates.takeBest(scores, topK, softness);
    else candidates.takeAll(scores, softness);
    if (topP < 1) candidates.keepMass(topP);
    if (minP > 0) candidates.keepFrom(minP);
    return candidates.draw(uniformAt(seed, position));
  }

  #penalised(logits: Float32Array, banned?: ReadonlySet<number>): Float32Array {
    if (!this.#penalties.changes(banned)) return logits;
    if (penalisedScores.length !== logits.length) penalisedScores = new Float32Array(logits.length);
    penalisedScores.set(logits);
    this.#penalties.apply(penalisedScores, banned);
    return penalisedScores;
  }
}
