import { type SamplingParams } from '@essaim/core';
import { bestId } from './best.ts';
import { Candidates } from './candidates.ts';
import { chooseAmongFew, type FewLogits } from './few-logits.ts';
import { Penalties } from './penalties.ts';
import { uniformAt } from './uniform-at.ts';

/** Scratch space, shared by all sequences of the thread: a draw runs to its end before another can begin. */
const candidates = new Candidates();
let penalisedScores = new Float32Array(0);

/** Which ids may be chosen at a position; all of them by default. */
export interface Choosable {
  /** Ids that may not. */
  readonly banned?: ReadonlySet<number>;
  /** No other ids than these, one bit each: id k is bit k % 32 of word k / 32. It has a bit for every id of the vocabulary. */
  readonly allowed?: Uint32Array;
}

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
   * The token at `position` (of the whole sequence, counted from 0) given `logits` [vocab], which stay as they are: the best that may
   * be chosen, or a draw from those. Fails with `internal` when the logits hold no distribution: a NaN anywhere, or nothing finite left.
   */
  sample(logits: Float32Array, position: number, choosable: Choosable = {}): number {
    const scores = this.#penalised(logits, choosable);
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

  /** Whether the best logits, as they are, may be all that a choice needs, now and later. */
  get canChooseAmongFew(): boolean {
    return !this.#penalties.mayChange;
  }

  /** What `sample` would choose given all logits where every id may be chosen, and `canChooseAmongFew`; null where these few don't tell. */
  sampleAmongFew(few: FewLogits, position: number): number | null {
    return chooseAmongFew(few, this.#params, uniformAt(this.#params.seed, position));
  }

  #penalised(logits: Float32Array, { banned, allowed }: Choosable): Float32Array {
    if (allowed === undefined && !this.#penalties.changes(banned)) return logits;
    if (penalisedScores.length !== logits.length) penalisedScores = new Float32Array(logits.length);
    penalisedScores.set(logits);
    this.#penalties.apply(penalisedScores, banned);
    if (allowed !== undefined) ban(penalisedScores, allowed);
    return penalisedScores;
  }
}

/** All that is not allowed. A NaN stays one: it must be found. */
function ban(scores: Float32Array, allowed: Uint32Array): void {
  for (let first = 0; first < scores.length; first += 32) {
    const bits = allowed[first >>> 5]!;
    if (bits === 0xffff_ffff) continue;
    const end = Math.min(first + 32, scores.length);
    for (let id = first; id < end; id++) if (((bits >>> (id & 31)) & 1) === 0) scores[id]! += -Infinity;
  }
}
