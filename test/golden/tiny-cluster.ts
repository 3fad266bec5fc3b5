import { type SequenceEvent } from '@essaim/core';
import { type LocalCluster, type LocalClusterOptions, startLocalCluster } from '@essaim/testing';
import { checkpointDirectory, readLogits } from './read-vectors.ts';

/** A model that computes in no time: 2 layers of 16 experts, 4 a token, vocabulary 256, context 512, head not tied to the embedding. */
export const TINY = 'mixtral-top4-fused-bf16';
/** A prompt of that model, its greedy continuation, and the logits of each of their tokens. */
export const tinyVector = readLogits(TINY);

export const startTiny = (options: Pick<LocalClusterOptions, 'cache'> & Partial<LocalClusterOptions>): Promise<LocalCluster> =>
  startLocalCluster({ directory: checkpointDirectory(`test/golden/models/${TINY}`), dtype: 'float32', deterministic: false, workers: 2, replicas: 1, seed: 1, ...options });

export const tokenIds = (events: readonly SequenceEvent[]): number[] => events.flatMap((event) => (event.kind === 'token' ? [event.id] : []));

export function finishReason(events: readonly SequenceEvent[]): string {
  const last = events.at(-1);
  return last?.kind === 'done' ? last.finishReason : 'not finished';
}
