import { AppError } from '@essaim/core';
import { type Prediction } from './contender.ts';

/** How alike two sides predict, over several prompts. */
export interface Agreement {
  readonly prompts: number;
  /** Prompts whose likeliest token is the same. */
  readonly sameFirst: number;
  /** Of the tokens that one side lists, those that the other lists too: 0 to 1. */
  readonly meanOverlap: number;
  /** Differences of log probabilities of tokens that both list. */
  readonly meanDifference: number;
  readonly largestDifference: number;
}

export function agreementOf(pairs: readonly { readonly ours: Prediction; readonly peers: Prediction }[]): Agreement {
  const compared = pairs.map(({ ours, peers }) => {
    const theirs = new Map(peers.map(({ id, logprob }) => [id, logprob]));
    const differences = ours.flatMap(({ id, logprob }) => (theirs.has(id) ? [Math.abs(logprob - theirs.get(id)!)] : []));
    return { isSameFirst: ours[0]?.id === peers[0]?.id, overlap: differences.length / ours.length, differences };
  });
  const differences = compared.flatMap((each) => each.differences);
  return {
    prompts: pairs.length,
    sameFirst: compared.filter(({ isSameFirst }) => isSameFirst).length,
    meanOverlap: mean(compared.map(({ overlap }) => overlap)),
    meanDifference: mean(differences),
    largestDifference: Math.max(0, ...differences),
  };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

/**
 * What rounding may do. Both sides hold the same 4-bit codes; scales, activations and llama.cpp's keys and values are rounded each in its
 * own way, and a router that is nearly undecided may then choose another expert: measured 0.83 and 0.075. The mildest mistake that was
 * tried, the rows of queries and keys in Hugging Face's order, gave 0.38 and 0.22.
 */
const WITHIN_ROUNDING: AgreementBounds = { overlap: 0.6, meanDifference: 0.15 };

/** What rounding explains. */
export interface AgreementBounds {
  /** No less than this. */
  readonly overlap: number;
  /** No more than this. */
  readonly meanDifference: number;
}

/** Why the two can't be the same model, so that comparing their speed would say nothing; null where they can. One sentence, without a full stop. */
export function disagreement({ meanOverlap, meanDifference }: Agreement, peer: string, { overlap, meanDifference: most }: AgreementBounds): string | null {
  if (meanOverlap >= overlap && meanDifference <= most) return null;
  return `Essaim and ${peer} don't compute the same: they share ${(100 * meanOverlap).toFixed(0)} % of the likeliest tokens, with log probabilities ${meanDifference.toFixed(3)} apart on average; rounding explains no less than ${100 * overlap} % and no more than ${most}`;
}

/** Fails with `data_loss` where llama.cpp can't have the same model. */
export function assertSameModel(agreement: Agreement): void {
  const reason = disagreement(agreement, 'llama.cpp', WITHIN_ROUNDING);
  if (reason !== null) throw new AppError('data_loss', `${reason}. Delete the .gguf file in the cache and measure again; if it stays so, it is a bug`);
}
