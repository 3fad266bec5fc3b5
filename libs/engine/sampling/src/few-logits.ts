import { type PositionLogprobs, type SamplingParams } from '@essaim/core';
import { bestId } from './best.ts';
import { Candidates, type Softness } from './candidates.ts';

/** The best logits after a token, where all of them lie on a device, and what the others weigh. */
export interface FewLogits {
  /** Ascending: all whose logit is higher than `restAtMost`, and no other. */
  readonly ids: Uint32Array;
  /** Of each id, [ids.length]. */
  readonly logits: Float32Array;
  /** No other id has a higher logit; -Infinity where there is none. */
  readonly restAtMost: number;
  /** The sum over the whole vocabulary of exp(logit - best logit), within MASS_TOLERANCE of itself. NaN where a logit is. */
  readonly mass: number;
  /** The same of exp((logit - best logit) * sharpness). */
  readonly softMass: number;
}

/** How many of the best logits a choice is likely to need, and the sharpness of `FewLogits.softMass`. */
export interface FewNeeded {
  readonly count: number;
  readonly sharpness: number;
}

/** A device adds up in float32: sums of 131,072 weights were off by 2e-6. */
export const MASS_TOLERANCE = 1e-4;
/** Filters by mass, and draws from everything, rarely look further. */
const LIKELY = 64;

/** Scratch space, shared by all sequences of the thread. */
const candidates = new Candidates();

/** Null where more are needed than there is a point in asking for. */
export function fewNeeded({ temperature, topK }: SamplingParams, topLogprobs: number): FewNeeded | null {
  const chosenFrom = temperature === 0 ? 1 : topK > 0 ? topK : LIKELY;
  const count = Math.max(chosenFrom, topLogprobs);
  return count > LIKELY ? null : { count, sharpness: temperature === 0 ? 1 : 1 / temperature };
}

/** The token that all logits together would give at `uniform` in [0, 1), to the bit; null where these few don't tell. */
export function chooseAmongFew(few: FewLogits, { temperature, topK, topP, minP }: SamplingParams, uniform: number): number | null {
  const { ids, logits, restAtMost, softMass } = few;
  if (ids.length === 0 || !Number.isFinite(few.mass + softMass)) return null;
  const best = bestId(logits);
  if (temperature === 0) return ids[best]!;
  const softness = { bestScore: logits[best]!, temperature };
  if (topK > 0) {
    if (topK > ids.length && restAtMost > -Infinity) return null;
    candidates.takeBest(logits, topK, softness);
    if (topP < 1) candidates.keepMass(topP);
  } else {
    candidates.takeAll(logits, softness);
    if (topP === 1 && minP === 0) return atMass(uniform * softMass, (share) => ids[candidates.draw(share)]!);
    if (topP < 1 && atMass(topP * softMass, (share) => keptOf(logits, softness, share)) === null) return null;
    if (topP === 1 && Math.exp((restAtMost - softness.bestScore) / temperature) >= minP) return null;
  }
  if (minP > 0) candidates.keepFrom(minP);
  return ids[candidates.draw(uniform)]!;
}

/** Leaves the fewest best whose mass is at least a share of these few; how many that are. */
function keptOf(logits: Float32Array, softness: Softness, share: number): number {
  candidates.takeAll(logits, softness);
  candidates.keepMass(share);
  return candidates.ids.length;
}

/** What `find` finds where the mass before it is `mass`, told the share of all candidates that this is; null where more than they are is meant, or what is not known of the mass makes a difference. */
function atMass<T>(mass: number, find: (share: number) => T): T | null {
  const all = candidates.mass;
  const [least, most] = [(mass * (1 - MASS_TOLERANCE)) / all, (mass * (1 + MASS_TOLERANCE)) / all];
  if (most >= 1) return null;
  const found = find(least);
  return find(most) === found ? found : null;
}

/** As `logprobsOf`, within MASS_TOLERANCE; null where these few don't tell. */
export function logprobsOfFew({ ids, logits, restAtMost, mass }: FewLogits, tokenId: number, top: number): PositionLogprobs | null {
  const place = ids.indexOf(tokenId);
  if (place < 0 || !Number.isFinite(mass) || (top > ids.length && restAtMost > -Infinity)) return null;
  const bestScore = logits[bestId(logits)]!;
  const normaliser = bestScore + Math.log(mass);
  if (top > 0) candidates.takeBest(logits, top, { bestScore, temperature: 1 });
  const places = top > 0 ? Array.from(candidates.ids) : [];
  return { logprob: logits[place]! - normaliser, top: places.map((each) => ({ id: ids[each]!, logprob: logits[each]! - normaliser })) };
}
