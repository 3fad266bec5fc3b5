import { type ModelDescription } from '@essaim/core';

/** [rows, columns] of a matrix. */
export type Shape = readonly [rows: number, columns: number];

/** The attention of one layer. */
export interface AttentionSize {
  readonly matrices: readonly Shape[];
  /** Norms within it, in values. */
  readonly normValues: number;
  /** Values that a token keeps in the cache. */
  readonly cachedValues: number;
  /** Multiplications and additions that one query spends on one cached token. */
  readonly flopsPerPair: number;
}

export function attentionSize({ attention, hiddenSize }: Pick<ModelDescription, 'attention' | 'hiddenSize'>): AttentionSize {
  if (attention.kind === 'gqa') {
    const [queryWidth, kvWidth] = [attention.headCount * attention.headSize, attention.kvHeadCount * attention.headSize];
    return {
      matrices: [[queryWidth, hiddenSize], [kvWidth, hiddenSize], [kvWidth, hiddenSize], [hiddenSize, queryWidth]],
      normValues: 0, cachedValues: 2 * kvWidth, flopsPerPair: 4 * queryWidth,
    };
  }
  const { headCount, queryRank, latentRank, plainSize, rotarySize, valueSize } = attention;
  const queryWidth = headCount * (plainSize + rotarySize);
  const query: Shape[] = queryRank === null ? [[queryWidth, hiddenSize]] : [[queryRank, hiddenSize], [queryWidth, queryRank]];
  return {
    matrices: [...query, [latentRank + rotarySize, hiddenSize], [headCount * (plainSize + valueSize), latentRank], [hiddenSize, headCount * valueSize]],
    normValues: (queryRank ?? 0) + latentRank,
    cachedValues: latentRank + rotarySize,
    // Absorbed: queries meet the latent itself, DeepSeek-V2, arXiv:2405.04434, section 2.1.2.
    flopsPerPair: 2 * headCount * (2 * latentRank + rotarySize),
  };
}
