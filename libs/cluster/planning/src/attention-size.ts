import { attentionMatrices, kvWidthsOf, type ModelDescription } from '@essaim/core';

/** [rows, columns] of a matrix. */
export type Shape = readonly [rows: number, columns: number];

/** The attention of one layer. */
export interface AttentionSize {
  readonly matrices: readonly Shape[];
  /** What of them is held a second time, turned: a step reads one of both. */
  readonly turned: readonly Shape[];
  /** Norms within it, in values. */
  readonly normValues: number;
  /** Values that a token keeps in the cache. */
  readonly cachedValues: number;
  /** Values that one token takes while it is computed. */
  readonly workingValues: number;
  /** Multiplications and additions that one query spends on one cached token. */
  readonly flopsPerPair: number;
}

export function attentionSize({ attention, hiddenSize }: Pick<ModelDescription, 'attention' | 'hiddenSize'>): AttentionSize {
  const matrices = attentionMatrices(attention, hiddenSize);
  const { keyWidth, valueWidth } = kvWidthsOf(attention);
  const cachedValues = keyWidth + valueWidth;
  const results = matrices.reduce((sum, [rows]) => sum + rows, 0);
  if (attention.kind === 'gqa') {
    const { headCount, headSize } = attention;
    return { matrices, turned: [], normValues: 0, cachedValues, workingValues: results, flopsPerPair: 4 * headCount * headSize };
  }
  const { headCount, queryRank, latentRank, plainSize, rotarySize } = attention;
  return {
    // What makes the keys of a latent: as it is for many rows at once, turned to be applied to queries of few.
    matrices, turned: [[headCount * latentRank, plainSize]], normValues: (queryRank ?? 0) + latentRank, cachedValues,
    // Absorbed: queries meet the latent itself, DeepSeek-V2, arXiv:2405.04434, section 2.1.2. Each head has its query and its sum of latents beside the weights and beside the cache.
    workingValues: results + headCount * (2 * (latentRank + rotarySize) + 3 * latentRank),
    flopsPerPair: 2 * headCount * (2 * latentRank + rotarySize),
  };
}
